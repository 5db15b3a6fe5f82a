"""POST .../register-sandbox-by-name, and the other endpoints for an org that was registered by name."""

from functools import partial

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from sandboxes.models import OnDemandGrant
from tests.orgs.factories import ACCESS_TOKEN, ORG, ORGS, REGISTER, TEST_CONNECTION
from tests.sandboxes.factories import BY_NAME, PROD, SANDBOX, a_production_org, works
from tests.support.api_client import Caller
from tests.support.concurrency import run_together

pytestmark = pytest.mark.django_db
DEV1 = {"sandboxName": "dev1", "productionUsername": PROD}
USERNAME = "ci@acme.example.dev1"
SANDBOX_AUTH = "/services/data/v67.0/tooling/sandboxAuth"


@pytest.fixture
def registered(owner, sandbox, salesforce):
    response = owner.post(BY_NAME, DEV1)
    assert response.status_code == 201, response
    salesforce.reset_calls()
    return response.json()


def test_a_sandbox_is_registered_without_an_auth_url(registered, sandbox):
    assert registered["username"] == USERNAME
    assert registered["orgId"] == sandbox.org_id
    assert registered["instanceUrl"] == sandbox.instance_url
    assert registered["instanceName"] == "CS42"
    assert registered["parentProductionUsername"] == PROD
    assert registered["isJitRegistration"] is True
    assert registered["health"]["state"] == "healthy"


def test_registering_again_is_201_and_creates_no_grant(owner, salesforce, registered):
    response = owner.post(BY_NAME, DEV1 | {"sandboxName": "DEV1"})

    assert response.status_code == 201, response
    assert not salesforce.calls_to(path=SANDBOX_AUTH)
    assert SalesforceOrg.objects.count() == 2


def test_registration_takes_the_on_demand_grant(owner, member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)

    response = owner.post(BY_NAME, DEV1)

    assert response.status_code == 201, response
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 1
    assert not OnDemandGrant.objects.exists()


def test_an_org_registered_by_auth_url_keeps_its_credential(owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url(), "metadata": {"team": "core"}})
    credential_id = SalesforceOrg.objects.get(username=USERNAME).credential_id
    alive = len([grant for grant in salesforce.grants if grant.alive])

    response = owner.post(BY_NAME, DEV1)

    assert response.status_code == 201, response
    assert response.json()["isJitRegistration"] is False
    assert response.json()["metadata"] == {"team": "core"}
    assert SalesforceOrg.objects.get(username=USERNAME).credential_id == credential_id
    assert len([grant for grant in salesforce.grants if grant.alive]) == alive
    assert not OnDemandGrant.objects.exists()
    assert not Credential.objects.orphaned().exists()


def test_registration_repairs_a_sandbox_whose_grant_ended_with_a_refresh(owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    sandbox.refresh_sandbox()

    refused = owner.post(ACCESS_TOKEN, username=USERNAME)
    repaired = owner.post(BY_NAME, DEV1)

    assert refused.refusal == (409, "SANDBOX_REFRESHED")
    assert repaired.json()["orgId"] == sandbox.org_id
    assert repaired.json()["isJitRegistration"] is True
    assert owner.post(ACCESS_TOKEN, username=USERNAME).status_code == 200
    assert AuditEvent.objects.filter(action="org.org_id_changed").exists()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda production, sandbox: production.processes.clear(), "SANDBOX_NOT_FOUND"),
        (lambda production, sandbox: setattr(production.processes[-1], "status", "Deleted"), "SANDBOX_NOT_FOUND"),
        (lambda production, sandbox: setattr(production.processes[-1], "status", "Processing"), "SANDBOX_BUSY"),
        (lambda production, sandbox: setattr(production.processes[-1], "status", "Pending"), "SANDBOX_BUSY"),
        (lambda production, sandbox: setattr(sandbox, "creator", "release@acme.example"), "SANDBOX_AUTH_REFUSED"),
        (lambda production, sandbox: sandbox.users[0].deactivate(), "USER_INACTIVE"),
    ],
    ids=["unknown", "deleted", "processing", "pending", "not the creator", "user inactive"],
)
def test_a_sandbox_without_access_is_400_and_nothing_is_stored(spoil, code, owner, production, sandbox):
    spoil(production, sandbox)

    response = owner.post(BY_NAME, DEV1)

    assert response.refusal == (400, code), response
    assert SalesforceOrg.objects.count() == 1
    assert not OnDemandGrant.objects.exists()


def test_a_temporary_failure_is_503(owner, salesforce, sandbox):
    salesforce.inject(Fault.html_maintenance(), path=SANDBOX_AUTH)

    assert owner.post(BY_NAME, DEV1).refusal == (503, "UPSTREAM_MAINTENANCE")


def test_the_production_org_must_be_registered_as_one(owner, salesforce, sandbox, registered):
    unknown = owner.post(BY_NAME, DEV1 | {"productionUsername": "unknown@acme.example"})
    no_production = owner.post(BY_NAME, DEV1 | {"productionUsername": USERNAME})

    assert unknown.refusal == (404, "ORG_NOT_FOUND")
    assert no_production.refusal == (400, "NOT_A_PRODUCTION_ORG")


# --- Endpoints of registered orgs ----------------------------------------------------------------------


@pytest.mark.parametrize("name", [USERNAME, "dev1", "DEV1"])
def test_its_access_token_is_of_its_own_grant(name, owner, salesforce, registered):
    response = owner.post(ACCESS_TOKEN, username=name)

    assert response.status_code == 200, response
    assert works(salesforce, response.json()["accessToken"])
    assert [call.grant_type for call in salesforce.calls] == ["refresh_token"]


def test_tokens_of_twelve_consecutive_jobs_all_stay_valid(application, salesforce, registered):
    tokens = [application.post(ACCESS_TOKEN, username="dev1").json()["accessToken"] for _ in range(12)]

    assert all(works(salesforce, token) for token in tokens)


def test_a_refused_grant_is_replaced_through_the_parent(owner, salesforce, sandbox, registered):
    sandbox.revoke_all()

    response = owner.post(ACCESS_TOKEN, username="dev1")

    assert works(salesforce, response.json()["accessToken"])
    assert SalesforceOrg.objects.get(username=USERNAME).is_jit_registration


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_concurrent_callers_replace_a_refused_grant_once(owner, salesforce):
    sandbox = salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    owner.post(BY_NAME, DEV1)
    sandbox.revoke_all()
    salesforce.reset_calls()
    callers = [Caller(owner.bearer) for _ in range(20)]

    responses = run_together([partial(caller.post, ACCESS_TOKEN, username="dev1") for caller in callers])

    assert {response.status_code for response in responses} == {200}, responses
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 1
    assert all(works(salesforce, response.json()["accessToken"]) for response in responses)


def test_a_refreshed_sandbox_needs_no_new_registration(owner, salesforce, sandbox, registered):
    sandbox.refresh_sandbox()

    token = owner.post(ACCESS_TOKEN, username="dev1")
    shown = owner.get(ORG, username="dev1").json()

    assert token.json()["orgId"] == sandbox.org_id
    assert shown["orgId"] == sandbox.org_id
    event = AuditEvent.objects.get(action="org.org_id_changed")
    assert event.changes == {"orgId": {"before": registered["orgId"], "after": sandbox.org_id}}


def test_a_refresh_by_another_user_is_an_error_until_it_is_registered_again(
    owner, salesforce, production, sandbox, registered
):
    other = production.add_user("release@acme.example")
    owner.post(REGISTER, {"sfdxAuthUrl": production.auth_url(user=other)})
    sandbox.refresh_sandbox(creator=other)

    as_before = owner.post(ACCESS_TOKEN, username="dev1")
    by_other = owner.post(BY_NAME, DEV1 | {"productionUsername": "release@acme.example"})

    assert as_before.refusal == (409, "SANDBOX_AUTH_REFUSED")
    assert by_other.status_code == 201, by_other
    assert by_other.json()["username"] == "release@acme.example.dev1"
    assert owner.post(ACCESS_TOKEN, username="release@acme.example.dev1").status_code == 200


def test_a_sandbox_that_is_not_ready_is_503(owner, production, sandbox, registered):
    sandbox.refresh_sandbox()
    production.processes[-1].status = "Activating"

    busy = owner.post(ACCESS_TOKEN, username="dev1")
    production.processes[-1].status = "Completed"

    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (503, "SANDBOX_BUSY", "300")
    assert owner.post(ACCESS_TOKEN, username="dev1").status_code == 200


def test_a_connection_test_returns_and_stores_the_details(owner, sandbox, registered):
    sandbox.instance_name = "CS99"
    sandbox.refresh_sandbox()

    response = owner.post(TEST_CONNECTION, username="dev1").json()

    assert response["isValid"] is True
    assert (response["orgId"], response["instanceName"]) == (sandbox.org_id, "CS99")
    sandbox.creator = "release@acme.example"
    sandbox.revoke_all()
    assert owner.post(TEST_CONNECTION, username="dev1").json()["code"] == "SANDBOX_AUTH_REFUSED"


def test_it_has_no_auth_url(owner, registered):
    by_name = owner.get(ORG, username="dev1", authType="sfdxAuthUrl")
    listed = owner.get(ORGS, includeSfdxAuthUrl="true").json()

    assert by_name.refusal == (400, "NO_AUTH_URL")
    assert {org["username"]: "sfdxAuthUrl" in org for org in listed} == {PROD: True, USERNAME: False}


def test_it_is_deleted_by_its_sandbox_name(owner, registered):
    assert owner.delete(ORG, username="dev1").status_code == 200
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1


def test_registering_its_auth_url_replaces_the_grant(owner, sandbox, registered):
    response = owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    assert response.json()["isJitRegistration"] is False
    assert owner.get(ORG, username="dev1", authType="accessToken").status_code == 200


# --- A refreshed sandbox that was registered by its auth URL -------------------------------------------


def test_only_a_different_org_id_is_a_sandbox_refresh(owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    sandbox.revoke_all()

    response = owner.post(ACCESS_TOKEN, username=USERNAME)

    assert response.refusal == (409, "CREDENTIAL_EXPIRED")


def test_a_sandbox_refresh_is_recorded_and_not_queried_again(owner, member, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    sandbox.refresh_sandbox()
    owner.post(ACCESS_TOKEN, username=USERNAME)
    salesforce.reset_calls()

    response = owner.post(ACCESS_TOKEN, username=USERNAME)

    assert response.json()["code"] == "SANDBOX_REFRESHED"
    assert not salesforce.calls
    assert member.get(ORG, username=USERNAME).json()["health"]["reason"] == "SANDBOX_REFRESHED"
