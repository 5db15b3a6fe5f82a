"""PATCH /sfp/api/auth/salesforce/org."""

import pytest

from authn.models import AuditEvent
from orgs.models import SalesforceOrg
from tests.orgs.factories import ORG, REGISTER, a_registered_org

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci(owner, salesforce):
    org = a_registered_org(owner, salesforce, "ci@acme.example", metadata={"team": "core"})
    salesforce.reset_calls()
    return org


@pytest.mark.database
def test_each_field_is_changed_and_the_rest_is_kept(owner, salesforce, ci):
    first = owner.patch(ORG, {"isDevHub": True}, username="ci@acme.example").json()
    second = owner.patch(ORG, {"isDefault": True}, username="CI@acme.example").json()
    third = owner.patch(ORG, {"metadata": {"tier": 1}}, username="ci@acme.example").json()

    assert (first["isDevHub"], first["isDefault"], first["metadata"]) == (True, False, {"team": "core"})
    assert (second["isDevHub"], second["isDefault"], second["metadata"]) == (True, True, {"team": "core"})
    assert (third["isDevHub"], third["isDefault"], third["metadata"]) == (True, True, {"tier": 1})
    assert "createdAt" not in third
    assert salesforce.calls == []


def test_an_empty_change_is_not_an_error(owner, ci):
    assert owner.patch(ORG, {}, username="ci@acme.example").status_code == 200


@pytest.mark.database
def test_an_org_that_is_unmarked_as_dev_hub_is_not_the_default(owner, ci):
    owner.patch(ORG, {"isDevHub": True, "isDefault": True}, username="ci@acme.example")

    response = owner.patch(ORG, {"isDevHub": False}, username="ci@acme.example")

    assert response.json()["isDefault"] is False
    assert not SalesforceOrg.objects.filter(is_default=True).exists()


@pytest.mark.database
def test_the_response_and_the_audit_say_that_there_is_no_default_any_longer(owner, ci):
    owner.patch(ORG, {"isDevHub": True, "isDefault": True}, username="ci@acme.example")

    warnings = owner.patch(ORG, {"isDevHub": False}, username="ci@acme.example").json()["warnings"]

    assert warnings == [
        {
            "code": "NO_DEFAULT_DEVHUB",
            "message": "ci@acme.example is no longer a DevHub, so it is not the default DevHub either. "
            "There is none now.",
            "action": 'An owner can set one: PATCH /sfp/api/auth/salesforce/org?username=... {"isDefault": true}.',
        }
    ]
    newest = AuditEvent.objects.filter(action="org.changed").latest("id")
    given_up = {"before": True, "after": False}
    assert newest.changes == {"isDevHub": given_up, "isDefault": given_up}


def test_a_default_that_is_given_up_by_name_is_no_warning(owner, ci):
    owner.patch(ORG, {"isDevHub": True, "isDefault": True}, username="ci@acme.example")

    response = owner.patch(ORG, {"isDevHub": False, "isDefault": False}, username="ci@acme.example")

    assert "warnings" not in response.json()
    assert "warnings" not in owner.get(ORG, username="ci@acme.example").json()


@pytest.mark.database
def test_registering_the_default_again_as_no_dev_hub_is_a_warning_too(owner, salesforce):
    org = a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, isDefault=True)

    body = {"sfdxAuthUrl": org.auth_url(), "isDevHub": False}
    response = owner.post(REGISTER, body)

    assert [warning["code"] for warning in response.json()["warnings"]] == ["NO_DEFAULT_DEVHUB"]
    given_up = {"before": True, "after": False}
    newest = AuditEvent.objects.filter(action="org.registered").latest("id")
    assert newest.changes == {"isDevHub": given_up, "isDefault": given_up}


@pytest.mark.database
def test_the_default_moves(owner, salesforce, ci):
    a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, isDefault=True)

    owner.patch(ORG, {"isDevHub": True, "isDefault": True}, username="ci@acme.example")

    assert [org.username for org in SalesforceOrg.objects.filter(is_default=True)] == ["ci@acme.example"]


@pytest.mark.database
def test_an_unknown_org_is_not_found(owner):
    assert owner.patch(ORG, {"metadata": {}}, username="x@acme.example").json()["code"] == "ORG_NOT_FOUND"


@pytest.mark.parametrize(
    "name", ["force://App::5Aep861canary@ci.my.salesforce.com", "<b>canary", "canary" * 7, "cañary"]
)
def test_an_unsafe_field_name_is_not_repeated(owner, ci, name):
    response = owner.patch(ORG, {name: "x"}, username="ci@acme.example")

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["other"]
    assert name[:20] not in response.text


@pytest.mark.parametrize(
    "metadata",
    [
        {"note": "force://App::5Aep861canary@ci.my.salesforce.com"},
        {"force://App::5Aep861canary@ci.my.salesforce.com": 1},
        {"jobs": [{"url": "see FORCE://App::5Aep861canary@ci.my.salesforce.com"}]},
    ],
)
def test_metadata_with_an_auth_url_is_refused(owner, member, ci, metadata):
    response = owner.patch(ORG, {"metadata": metadata}, username="ci@acme.example")

    assert response.refusal == (400, "VALIDATION_FAILED")
    assert "canary" not in response.text
    assert member.get(ORG, username="ci@acme.example").json()["metadata"] == {"team": "core"}


def test_the_error_names_the_refused_field(owner, ci):
    response = owner.patch(ORG, {"orgId": "x", "metadata": {}}, username="ci@acme.example")

    assert [error["field"] for error in response.json()["errors"]] == ["orgId"]


@pytest.mark.database
def test_a_change_is_audited_with_its_values_before_and_after(owner, ci):
    owner.patch(ORG, {"metadata": {"note": "a new owner"}}, username="ci@acme.example")

    event = AuditEvent.objects.get(action="org.changed")
    assert event.details == {}
    assert event.changes == {
        "metadata.team": {"before": "core", "after": None},
        "metadata.note": {"before": None, "after": "a new owner"},
    }
    assert event.actor_name == "owner@acme.example"
