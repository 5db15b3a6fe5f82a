"""/password and the one-time links to /set-password."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from authn.errors import LoginRefused
from authn.login import check_password
from authn.models import AuditEvent, LoginFamily, User
from authn.pages import password_links
from authn.pages.password_links import password_link
from authn.principals import system
from authn.roles import Role
from authn.users import add_user, update_user
from tests.conftest import PASSWORD
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
BY = system("tests")
NEW = "a-brand-new-passphrase"


@pytest.fixture
def mia(a_person) -> User:
    return a_person("mia@acme.example")


@pytest.fixture
def invited(db) -> User:
    return add_user(email="ines@acme.example", role=Role.MEMBER, password=None, by=BY)


def _path(user: User) -> str:
    link = password_link(user, by=BY)
    assert link.startswith("http://localhost:8000/set-password/")
    return link.removeprefix("http://localhost:8000")


def _set(path: str, password: str = NEW, again: str = NEW):
    return Visitor().post(path, {"new": password, "again": again})


def _logs_in(user: User, password: str, rf) -> bool:
    try:
        check_password(email=user.email, password=password, request=rf.post("/"))
    except LoginRefused:
        return False
    return True


# --- The current user's password -------------------------------------------------------------------------------


def _change(visitor, current=PASSWORD, new=NEW, again=NEW):
    return visitor.post("/password", {"current": current, "new": new, "again": again})


@pytest.mark.database
def test_a_user_changes_the_password_and_stays_logged_in(mia, rf, member):
    here, elsewhere = Visitor().sign_in(mia), Visitor().sign_in(mia)

    response = _change(here)

    assert response["Location"] == "/password"
    assert "logged out everywhere else" in text_of(here.get("/password"))
    assert elsewhere.get("/password").status_code == 302
    assert _logs_in(mia, NEW, rf)


@pytest.mark.database
def test_a_new_password_revokes_the_tokens_of_the_user(member):
    mia = User.objects.get(email="member@acme.example")
    visitor = Visitor().sign_in(mia)

    _change(visitor)

    assert LoginFamily.objects.filter(user=mia, revoked_at=None).count() == 1, "that of this browser alone"
    assert member.get("/sfp/api/auth/salesforce/orgs").json()["code"] == "TOKEN_REVOKED"


def test_the_session_gets_a_new_key(mia):
    visitor = Visitor().sign_in(mia)
    before = visitor.client.session.session_key

    _change(visitor)

    assert visitor.client.session.session_key != before


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"current": "wrong"}, "This is not your current password."),
        ({"again": "something-else-entirely"}, "The passwords do not match."),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "mia@acme.example", "again": "mia@acme.example"}, "too similar"),
        ({"new": "", "again": ""}, "This field is required."),
        ({"new": "x" * 2000, "again": "x" * 2000}, "at most 1024 characters"),
    ],
)
def test_an_invalid_change_shows_the_reason(fields, words, mia, rf):
    response = _change(Visitor().sign_in(mia), **fields)

    assert response.status_code == 200
    assert words in text_of(response)
    assert _logs_in(mia, PASSWORD, rf)


@pytest.mark.database
def test_wrong_current_passwords_lock_the_user(mia):
    visitor = Visitor().sign_in(mia)
    for _ in range(5):
        _change(visitor, current="wrong")

    assert "locked for" in text_of(_change(visitor))


def test_an_anonymous_user_is_redirected_to_the_log_in(db):
    assert Visitor().get("/password")["Location"] == "/login?next=/password"


# --- By a link ----------------------------------------------------------------------------------------


def _is_over(response) -> bool:
    """Return True if a page says that its link is used up or unknown."""
    return response.status_code == 410 and "Ask an owner of this desk for a new one." in text_of(response)


@pytest.mark.database
def test_an_invited_user_sets_a_password_by_the_link(invited, rf):
    path = _path(invited)
    assert "ines@acme.example" in text_of(Visitor().get(path))

    visitor = Visitor()
    response = visitor.post(path, {"new": NEW, "again": NEW})

    assert response["Location"] == "/login"
    assert "Your password is set. Log in with it." in text_of(visitor.get("/login"))
    assert _logs_in(invited, NEW, rf)
    events = AuditEvent.objects.filter(action="person.changed").order_by("id")
    assert [(event.target_label, event.details) for event in events] == [
        ("ines@acme.example", {"link": "made"}),
        ("ines@acme.example", {"password": "set by link"}),
    ]


@pytest.mark.database
def test_a_link_works_once(invited, rf):
    path = _path(invited)
    _set(path)

    assert _is_over(Visitor().get(path))
    again = {"new": "another-good-one", "again": "another-good-one"}
    assert _is_over(Visitor(enforce_csrf=False).client.post(path, again))
    assert _logs_in(invited, NEW, rf)


@pytest.mark.database
def test_opening_a_link_does_not_use_it_up(invited):
    path = _path(invited)

    assert [Visitor().client.head(path).status_code, Visitor().get(path).status_code] == [200, 200]
    assert _set(path).status_code == 302


def test_a_link_expires_after_three_days(invited):
    path = _path(invited)

    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert _is_over(Visitor().get(path))


def test_a_link_from_before_an_upgrade_is_valid(invited):
    tokens = password_links._LinkTokens()
    tokens.key_salt = "authn.password_links"

    response = Visitor().get(f"/set-password/{invited.pk}/{tokens.make_token(invited)}")

    assert not _is_over(response)


def test_a_link_is_invalid_after_a_log_in(mia):
    path = _path(mia)
    Visitor().post("/login", {"email": mia.email, "password": PASSWORD})

    assert _is_over(Visitor().get(path))


def test_the_link_of_one_user_is_refused_for_another(invited, mia):
    path = _path(invited).replace(str(invited.pk), str(mia.pk))

    assert _is_over(Visitor().get(path))


@pytest.mark.database
def test_the_link_of_an_inactive_user_is_refused(invited):
    path = _path(invited)
    update_user(invited, by=BY, is_active=False)

    assert _is_over(Visitor().get(path))


@pytest.mark.parametrize("tail", ["x", "set-password", "c0ffee-" + "0" * 32, "%00", "a" * 3000])
def test_an_invented_link_is_refused(tail, mia):
    assert _is_over(Visitor().get(f"/set-password/{mia.pk}/{tail}"))


def test_a_weak_password_does_not_use_up_the_link(invited):
    path = _path(invited)

    assert "too short" in text_of(_set(path, "short", "short"))
    assert _set(path).status_code == 302


@pytest.mark.database
def test_a_link_lifts_a_lock(mia, rf):
    for _ in range(5):
        _logs_in(mia, "wrong", rf)
    path = _path(mia)

    _set(path)

    assert _logs_in(mia, NEW, rf)


def test_a_link_logs_out_the_current_user(invited, mia):
    visitor, path = Visitor().sign_in(mia), _path(invited)

    visitor.post(path, {"new": NEW, "again": NEW})

    assert visitor.get("/password").status_code == 302
