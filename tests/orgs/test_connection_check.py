"""POST /sfp/api/auth/salesforce/test-connection."""

import pytest

from authn.models import AuditEvent
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import ORG, TEST_CONNECTION, a_registered_org, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def ci(owner, salesforce):
    return a_registered_org(owner, salesforce, "ci@acme.example")


@pytest.mark.database
def test_a_working_connection_is_valid(application, ci):
    response = application.post(TEST_CONNECTION, username="ci@acme.example")

    assert response.status_code == 200
    assert response.json() == {
        "isValid": True,
        "username": "ci@acme.example",
        "orgId": ci.org_id,
        "organizationType": "Enterprise Edition",
        "instanceName": "NA139",
    }


def test_a_sandbox_is_tested_by_its_name(application, owner, salesforce, ci):
    register(owner, salesforce.add_sandbox(ci, "qa"))

    assert application.post(TEST_CONNECTION, username="qa").json()["isValid"] is True


@pytest.mark.database
def test_a_failed_test_returns_the_error_and_the_action(application, ci):
    ci.revoke_all()

    response = application.post(TEST_CONNECTION, username="ci@acme.example")

    assert response.status_code == 200
    body = response.json()
    assert body["isValid"] is False
    assert body["code"] == "CREDENTIAL_EXPIRED"
    assert body["error"] == "Salesforce no longer accepts the refresh token of this org."
    assert "sf org login web" in body["action"]
    assert application.get(ORG, username="ci@acme.example").json()["health"]["state"] == "expired"


@pytest.mark.parametrize(
    ("fault", "path", "code", "state"),
    [
        (Fault.html_maintenance(), "/services/oauth2/token", "UPSTREAM_MAINTENANCE", "failing"),
        (Fault.hang(60), "/services/oauth2/token", "UPSTREAM_TIMEOUT", "uncertain"),
        (Fault.no_name(), "/services/oauth2/token", "UPSTREAM_UNREACHABLE", "healthy"),
        (Fault.rest(403, "REQUEST_LIMIT_EXCEEDED"), "/services/data/v", "ORG_API_LIMIT", "failing"),
        (Fault.rest(403, "API_DISABLED_FOR_ORG"), "/services/data/v", "UPSTREAM_REFUSED", "healthy"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_a_failure_is_a_result_and_sets_the_health(application, member, salesforce, ci, fault, path, code, state):
    salesforce.inject(fault, path=path)

    response = application.post(TEST_CONNECTION, username="ci@acme.example")

    assert response.status_code == 200
    assert (response.json()["isValid"], response.json()["code"]) == (False, code)
    assert member.get(ORG, username="ci@acme.example").json()["health"]["state"] == state


@pytest.mark.database
def test_changed_org_details_are_stored(application, ci):
    ci.instance_name, ci.organization_type = "USA77", "Unlimited Edition"

    application.post(TEST_CONNECTION, username="ci@acme.example")

    row = SalesforceOrg.objects.get()
    assert (row.instance_name, row.organization_type) == ("USA77", "Unlimited Edition")


def test_an_unknown_org_is_not_found(application):
    assert application.post(TEST_CONNECTION, username="x@acme.example").refusal == (404, "ORG_NOT_FOUND")


@pytest.mark.database
def test_each_test_is_audited(application, ci):
    application.post(TEST_CONNECTION, username="ci@acme.example")
    ci.revoke_all()
    application.post(TEST_CONNECTION, username="ci@acme.example")

    events = AuditEvent.objects.filter(action="org.connection_tested").order_by("id")
    assert [(event.outcome, event.code) for event in events] == [("granted", ""), ("failed", "CREDENTIAL_EXPIRED")]


@pytest.mark.database
def test_a_slow_test_does_not_overwrite_a_new_registration(owner, application, salesforce, ci):
    def register_meanwhile(_: object) -> None:
        salesforce.on_change = None
        SalesforceOrg.objects.update(org_id="00D000000000001AAA")

    salesforce.on_change = register_meanwhile

    application.post(TEST_CONNECTION, username="ci@acme.example")

    assert SalesforceOrg.objects.get().org_id == "00D000000000001AAA"
