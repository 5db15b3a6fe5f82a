"""POST .../register-sandbox-by-name, and the other routes for an org that was registered so."""

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
    answer = owner.post(BY_NAME, DEV1)
    assert answer.status_code == 201, answer
    salesforce.reset_calls()
    return answer.json()


def test_a_sandbox_is_registered_without_a_key_of_its_own(registered, sandbox):
    assert registered["username"] == USERNAME
    assert registered["orgId"] == sandbox.org_id
    assert registered["instanceUrl"] == sandbox.instance_url
    assert registered["instanceName"] == "CS42"
    assert registered["parentProductionUsername"] == PROD
    assert registered["isJitRegistration"] is True
    assert registered["health"]["state"] == "healthy"


def test_registering_again_is_201_and_makes_no_other_grant(owner, salesforce, registered):
    answer = owner.post(BY_NAME, DEV1 | {"sandboxName": "DEV1"})

    assert answer.status_code == 201, answer
    assert not salesforce.calls_to(path=SANDBOX_AUTH)
    assert SalesforceOrg.objects.count() == 2


def test_it_takes_over_the_grant_that_was_made_on_demand(owner, member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)

    answer = owner.post(BY_NAME, DEV1)

    assert answer.status_code == 201, answer
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 1
    assert not OnDemandGrant.objects.exists()


def test_an_org_with_a_key_of_its_own_keeps_it_and_is_returned(owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url(), "metadata": {"team": "core"}})
    key = SalesforceOrg.objects.get(username=USERNAME).credential_id
    alive = len([grant for grant in salesforce.grants if grant.alive])

    answer = owner.post(BY_NAME, DEV1)

    assert answer.status_code == 201, answer
    assert answer.json()["isJitRegistration"] is False
    assert answer.json()["metadata"] == {"team": "core"}
    assert SalesforceOrg.objects.get(username=USERNAME).credential_id == key
    assert len([grant for grant in salesforce.grants if grant.alive]) == alive
    assert not OnDemandGrant.objects.exists()
    assert not Credential.objects.orphaned().exists()


def test_it_heals_a_sandbox_whose_own_key_died_with_a_refresh(owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    sandbox.refresh_sandbox()

    dead = owner.post(ACCESS_TOKEN, username=USERNAME)
    healed = owner.post(BY_NAME, DEV1)

    assert (dead.status_code, dead.json()["code"]) == (409, "SANDBOX_REFRESHED")
    assert healed.json()["orgId"] == sandbox.org_id
    assert healed.json()["isJitRegistration"] is True
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
def test_a_sandbox_that_cannot_be_had_is_400_and_nothing_is_stored(spoil, code, owner, production, sandbox):
    spoil(production, sandbox)

    answer = owner.post(BY_NAME, DEV1)

    assert (answer.status_code, answer.json()["code"]) == (400, code), answer
    assert SalesforceOrg.objects.count() == 1
    assert not OnDemandGrant.objects.exists()


def test_fault_that_passes_is_503(owner, salesforce, sandbox):
    salesforce.inject(Fault.html_maintenance(), path=SANDBOX_AUTH)

    assert owner.post(BY_NAME, DEV1).refusal == (503, "UPSTREAM_MAINTENANCE")


def test_the_production_org_must_be_registered_and_be_one(owner, salesforce, sandbox, registered):
    nobody = owner.post(BY_NAME, DEV1 | {"productionUsername": "nobody@acme.example"})
    no_production = owner.post(BY_NAME, DEV1 | {"productionUsername": USERNAME})

    assert (nobody.status_code, nobody.json()["code"]) == (404, "ORG_NOT_FOUND")
    assert (no_production.status_code, no_production.json()["code"]) == (400, "NOT_A_PRODUCTION_ORG")


# --- In the routes of registered orgs ------------------------------------------------------------------


@pytest.mark.parametrize("name", [USERNAME, "dev1", "DEV1"])
def test_its_access_token_comes_from_its_own_grant(name, owner, salesforce, registered):
    answer = owner.post(ACCESS_TOKEN, username=name)

    assert answer.status_code == 200, answer
    assert works(salesforce, answer.json()["accessToken"])
    assert [call.grant_type for call in salesforce.calls] == ["refresh_token"]


def test_twelve_jobs_in_turn_get_tokens_that_all_work_at_the_end(application, salesforce, registered):
    tokens = [application.post(ACCESS_TOKEN, username="dev1").json()["accessToken"] for _ in range(12)]

    assert all(works(salesforce, token) for token in tokens)


def test_a_grant_that_died_is_made_anew_through_the_parent(owner, salesforce, sandbox, registered):
    sandbox.revoke_all()

    answer = owner.post(ACCESS_TOKEN, username="dev1")

    assert works(salesforce, answer.json()["accessToken"])
    assert SalesforceOrg.objects.get(username=USERNAME).is_jit_registration


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_twenty_callers_at_once_make_it_anew_once(owner, salesforce):
    sandbox = salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    owner.post(BY_NAME, DEV1)
    sandbox.revoke_all()
    salesforce.reset_calls()
    callers = [Caller(owner.bearer) for _ in range(20)]

    answers = run_together([partial(caller.post, ACCESS_TOKEN, username="dev1") for caller in callers])

    assert {answer.status_code for answer in answers} == {200}, answers
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 1
    assert all(works(salesforce, answer.json()["accessToken"]) for answer in answers)


def test_a_refreshed_sandbox_goes_on_by_itself(owner, salesforce, sandbox, registered):
    sandbox.refresh_sandbox()

    token = owner.post(ACCESS_TOKEN, username="dev1")
    shown = owner.get(ORG, username="dev1").json()

    assert token.json()["orgId"] == sandbox.org_id
    assert shown["orgId"] == sandbox.org_id
    event = AuditEvent.objects.get(action="org.org_id_changed")
    assert (event.details["old"], event.details["new"]) == (registered["orgId"], sandbox.org_id)


def test_a_refresh_by_another_user_is_told_and_registering_again_heals(
    owner, salesforce, production, sandbox, registered
):
    other = production.add_user("release@acme.example")
    owner.post(REGISTER, {"sfdxAuthUrl": production.auth_url(user=other)})
    sandbox.refresh_sandbox(creator=other)

    as_before = owner.post(ACCESS_TOKEN, username="dev1")
    by_other = owner.post(BY_NAME, DEV1 | {"productionUsername": "release@acme.example"})

    assert (as_before.status_code, as_before.json()["code"]) == (409, "SANDBOX_AUTH_REFUSED")
    assert by_other.status_code == 201, by_other
    assert by_other.json()["username"] == "release@acme.example.dev1"
    assert owner.post(ACCESS_TOKEN, username="release@acme.example.dev1").status_code == 200


def test_a_sandbox_in_the_making_is_503_until_it_is_ready(owner, production, sandbox, registered):
    sandbox.refresh_sandbox()
    production.processes[-1].status = "Activating"

    busy = owner.post(ACCESS_TOKEN, username="dev1")
    production.processes[-1].status = "Completed"

    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (503, "SANDBOX_BUSY", "300")
    assert owner.post(ACCESS_TOKEN, username="dev1").status_code == 200


def test_test_connection_tells_and_takes_the_facts(owner, sandbox, registered):
    sandbox.instance_name = "CS99"
    sandbox.refresh_sandbox()

    answer = owner.post(TEST_CONNECTION, username="dev1").json()

    assert answer["isValid"] is True
    assert (answer["orgId"], answer["instanceName"]) == (sandbox.org_id, "CS99")
    sandbox.creator = "release@acme.example"
    sandbox.revoke_all()
    assert owner.post(TEST_CONNECTION, username="dev1").json()["code"] == "SANDBOX_AUTH_REFUSED"


def test_it_has_no_auth_url_to_give(owner, registered):
    by_name = owner.get(ORG, username="dev1", authType="sfdxAuthUrl")
    listed = owner.get(ORGS, includeSfdxAuthUrl="true").json()

    assert (by_name.status_code, by_name.json()["code"]) == (400, "NO_AUTH_URL")
    assert {org["username"]: "sfdxAuthUrl" in org for org in listed} == {PROD: True, USERNAME: False}


def test_it_is_deleted_by_its_sandbox_name(owner, registered):
    assert owner.delete(ORG, username="dev1").status_code == 200
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1


def test_an_auth_url_gives_it_a_key_of_its_own(owner, sandbox, registered):
    answer = owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    assert answer.json()["isJitRegistration"] is False
    assert owner.get(ORG, username="dev1", authType="accessToken").status_code == 200


# --- A sandbox with a key of its own that was refreshed ------------------------------------------------


def test_only_a_newer_org_id_makes_it_a_refresh(owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    sandbox.revoke_all()

    answer = owner.post(ACCESS_TOKEN, username=USERNAME)

    assert (answer.status_code, answer.json()["code"]) == (409, "CREDENTIAL_EXPIRED")


def test_a_refresh_is_kept_on_record_and_not_asked_for_again(owner, member, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    sandbox.refresh_sandbox()
    owner.post(ACCESS_TOKEN, username=USERNAME)
    salesforce.reset_calls()

    answer = owner.post(ACCESS_TOKEN, username=USERNAME)

    assert answer.json()["code"] == "SANDBOX_REFRESHED"
    assert not salesforce.calls
    assert member.get(ORG, username=USERNAME).json()["health"]["reason"] == "SANDBOX_REFRESHED"
