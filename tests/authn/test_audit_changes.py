"""The audit holds the values before and after a change, of the changed fields only, and never a secret."""

import json

import pytest

from authn import audit, tokens
from authn.models import ApplicationToken, AuditEvent
from authn.principals import system
from authn.roles import Role
from authn.users import add_user, update_user
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
BY = system("tests")
SECRETS = (
    "force://PlatformCLI::5Aep861TSESvWeug_xvFHRBTTbf_YrTWgEyj@hub.my.salesforce.com",
    "00D5g00000ABCDE!AQEAQAbZxZmYq9s0pV5yJ8o1kL2mN3",
    "fdt_0123456789abcdefABCDEF0123456789abcdefABCDEF",
)


def test_only_the_changed_fields_are_kept():
    before, after = {"role": "member", "active": True}, {"role": "owner", "active": True}

    assert audit.changes(before, after) == {"role": {"before": "member", "after": "owner"}}


def test_an_object_is_compared_key_by_key():
    before = {"metadata": {"team": "core", "tier": 1, "gone": [1]}}
    after = {"metadata": {"team": "payments", "tier": 1, "new": {"a": True}}}

    assert audit.changes(before, after) == {
        "metadata.team": {"before": "core", "after": "payments"},
        "metadata.gone": {"before": "[1]", "after": None},
        "metadata.new": {"before": None, "after": '{"a": true}'},
    }


@pytest.mark.parametrize("secret", SECRETS, ids=["auth URL", "access token", "application token"])
def test_a_secret_in_a_change_is_a_fingerprint(secret):
    kept = audit.changes({"metadata": {"note": secret}}, {"metadata": {"note": {"deep": [secret]}}})

    assert secret not in json.dumps(kept)
    assert kept["metadata.note"]["before"] == f"fingerprint:{audit.fingerprint(secret)}"
    assert str(kept["metadata.note"]["after"]).startswith("fingerprint:")


@pytest.mark.parametrize("secret", SECRETS, ids=["auth URL", "access token", "application token"])
def test_a_secret_in_the_place_of_a_metadata_key_is_a_fingerprint(secret):
    kept = audit.changes({"metadata": {}}, {"metadata": {secret: 1}})

    assert kept == {f"metadata.fingerprint:{audit.fingerprint(secret)}": {"before": None, "after": 1}}


def test_a_long_value_is_cut():
    [field] = audit.changes({}, {"note": "word " * 1000}).values()

    assert len(str(field["after"])) == 501


def test_unsafe_characters_of_a_change_are_escaped():
    assert audit.changes({}, {"metadata": {"a\x1b": "b\u202e"}}) == {
        "metadata.a\\x1b": {"before": None, "after": "b\\u202e"}
    }


@pytest.mark.database
def test_a_user_has_role_and_state_before_and_after_each_change():
    dana = add_user(email="dana@acme.example", role=Role.MEMBER, password=None, by=BY)
    update_user(dana, by=BY, role=Role.OWNER)
    add_user(email="olga@acme.example", role=Role.OWNER, password=None, by=BY)
    update_user(dana, by=BY, is_active=False)

    rows = AuditEvent.objects.filter(target_id=str(dana.pk)).order_by("pk")
    assert [row.changes for row in rows] == [
        {
            "email": {"before": None, "after": "dana@acme.example"},
            "role": {"before": None, "after": "member"},
            "active": {"before": None, "after": True},
        },
        {"role": {"before": "member", "after": "owner"}},
        {"active": {"before": True, "after": False}},
    ]


def test_a_change_without_effect_has_no_changes():
    dana = add_user(email="dana@acme.example", role=Role.MEMBER, password=None, by=BY)

    update_user(dana, by=BY, role=Role.MEMBER)

    assert AuditEvent.objects.get(action="person.changed").changes is None


def test_a_token_has_its_name_and_expiry_and_never_its_value():
    row, value = tokens.issue(name="nightly", days=7, by=BY)
    tokens.revoke(str(row.pk), by=BY)

    created, revoked = AuditEvent.objects.order_by("pk")
    assert created.changes
    assert created.changes["name"] == {"before": None, "after": "nightly"}
    assert created.changes["expiresAt"]["after"] == row.expires_at.isoformat(timespec="seconds")
    revoked_at = ApplicationToken.objects.get().revoked_at
    assert revoked_at is not None
    assert revoked.changes == {"revokedAt": {"before": None, "after": revoked_at.isoformat(timespec="seconds")}}
    assert value not in str([vars(event) for event in AuditEvent.objects.all()])


def test_the_console_shows_a_change_as_before_and_after(a_person):
    console = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))
    dana = add_user(email="dana@acme.example", role=Role.MEMBER, password=None, by=BY)
    update_user(dana, by=BY, role=Role.OWNER)

    row = AuditEvent.objects.get(action="person.changed")
    page = text_of(console.get(f"/console/authn/auditevent/{row.pk}/change/"))

    assert "<code>role</code></th><td><del>member</del></td><td><ins>owner</ins></td>" in page
