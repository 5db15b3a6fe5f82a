"""Each audit row of a user or an application token names it as the target: kind, id and label."""

import pytest

from authn.models import ApplicationToken, AuditEvent, User
from authn.principals import system
from authn.roles import Role
from authn.users import add_user, unlock, update_user
from tests.support.browser_client import Visitor

pytestmark = pytest.mark.django_db
BY = system("tests")
LOGIN = "/sfp/api/auth/admin/login"
TOKENS = "/sfp/api/application-tokens"
PASSWORD = "correct-horse-battery-staple"


@pytest.fixture
def dana(db) -> User:
    return add_user(email="dana@acme.example", role=Role.MEMBER, password=PASSWORD, by=BY)


def _targets(action: str) -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(action=action).order_by("pk")
    return list(rows.values_list("target_kind", "target_id", "target_label"))


def test_a_change_of_a_user_names_the_user_as_its_target(dana):
    update_user(dana, by=BY, role=Role.OWNER)
    unlock(dana, by=BY)

    assert _targets("person.added") == [("person", str(dana.pk), "dana@acme.example")]
    assert _targets("person.changed") == [("person", str(dana.pk), "dana@acme.example")] * 2


def test_a_password_link_names_the_user_as_its_target(dana, a_person):
    console = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))

    console.post(f"/console/authn/user/{dana.pk}/password-link/", form_at=f"/console/authn/user/{dana.pk}/change/")

    row = AuditEvent.objects.get(action="person.changed")
    assert (row.actor_name, row.target_kind, row.target_id) == ("olga@acme.example", "person", str(dana.pk))


def test_a_log_in_names_the_user_as_its_target(dana, anonymous):
    assert anonymous.post(LOGIN, {"email": dana.email, "password": PASSWORD}).status_code == 200

    assert _targets("person.login") == [("person", str(dana.pk), "dana@acme.example")]


def test_a_refused_log_in_names_the_user_that_was_tried(dana, anonymous):
    anonymous.post(LOGIN, {"email": dana.email, "password": "wrong"})

    assert _targets("person.login") == [("person", "", "dana@acme.example")]


def test_a_password_typed_as_the_user_of_a_log_in_is_no_label(anonymous):
    anonymous.post(LOGIN, {"email": "hunter2-is-my-password", "password": "wrong"})

    [(kind, identifier, label)] = _targets("person.login")
    assert (kind, identifier) == ("person", "")
    assert label.startswith("fingerprint:")


@pytest.mark.database
def test_an_application_token_is_the_target_of_its_creation_and_revocation(owner):
    made = owner.post(TOKENS, {"name": "nightly", "expiresIn": 7}).json()
    owner.delete(f"{TOKENS}/{made['id']}")

    row = ApplicationToken.objects.get()
    expected = [("application_token", str(row.pk), "nightly")]
    assert _targets("application_token.created") == expected
    assert _targets("application_token.revoked") == expected
