"""POST .../sandbox/authenticate: a session of an unregistered sandbox, through its production org."""

from functools import partial

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand.grants import IDLE, drop_idle_grants
from tests.orgs.factories import REGISTER, an_org
from tests.sandboxes.factories import PROD, SANDBOX, SF, a_production_org, works
from tests.support.api_client import Caller
from tests.support.concurrency import run_together

pytestmark = pytest.mark.django_db
DEV1 = {"sandboxName": "dev1", "productionUsername": PROD}
SANDBOX_AUTH = "/services/data/v67.0/tooling/sandboxAuth"


def _paths(salesforce):
    return [call.path.rpartition("/")[2] for call in salesforce.calls]


@pytest.mark.parametrize("role", ["member", "application", "owner"])
def test_a_session_of_a_sandbox_is_created_through_its_production_org(role, request, salesforce, production, sandbox):
    caller = request.getfixturevalue(role)

    response = caller.post(SANDBOX, DEV1)

    assert response.status_code == 201, response
    content = response.json()
    assert content["sandboxName"] == "dev1"
    assert content["sandboxUsername"] == "ci@acme.example.dev1"
    assert content["instanceUrl"] == sandbox.instance_url
    assert content["productionOrg"] == {
        "username": PROD,
        "instanceUrl": production.instance_url,
        "orgId": production.org_id,
    }
    assert works(salesforce, content["accessToken"])
    assert content["frontDoorUrl"].startswith(f"{sandbox.instance_url}/secur/frontdoor.jsp?otp=")
    assert "sfdxAuthUrl" not in content
    assert "frontDoorError" not in content


def test_the_first_session_takes_three_calls_and_the_next_two(member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)
    first = _paths(salesforce)
    salesforce.reset_calls()
    member.post(SANDBOX, DEV1)

    assert first == ["sandboxAuth", "token", "singleaccess"]
    assert _paths(salesforce) == ["token", "singleaccess"]


def test_tokens_of_twelve_consecutive_jobs_all_stay_valid(application, salesforce, sandbox):
    tokens = [application.post(SANDBOX, DEV1).json()["accessToken"] for _ in range(12)]

    assert len(set(tokens)) == 12
    assert all(works(salesforce, token) for token in tokens)
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 1


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_concurrent_callers_create_one_grant(owner, salesforce):
    sandbox = salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    callers = [Caller(owner.bearer) for _ in range(20)]

    responses = run_together([partial(caller.post, SANDBOX, DEV1) for caller in callers])

    assert {response.status_code for response in responses} == {201}, responses
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 1
    assert all(works(salesforce, response.json()["accessToken"]) for response in responses)
    assert OnDemandGrant.objects.get().org_id == sandbox.org_id


def test_a_refused_grant_is_replaced(member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)
    sandbox.revoke_all()

    response = member.post(SANDBOX, DEV1)

    assert works(salesforce, response.json()["accessToken"])
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 2


def test_a_refreshed_sandbox_gets_its_new_org_id(member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)
    was = sandbox.org_id
    sandbox.refresh_sandbox()

    response = member.post(SANDBOX, DEV1)

    assert works(salesforce, response.json()["accessToken"])
    assert OnDemandGrant.objects.get().org_id == sandbox.org_id
    event = AuditEvent.objects.get(action="org.org_id_changed")
    assert event.changes == {"orgId": {"before": was, "after": sandbox.org_id}}


def test_a_rotating_grant_is_refreshed_with_its_newest_token(owner, member, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    org = an_org(salesforce, PROD)
    owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(app)})
    salesforce.add_sandbox(org, "dev1")

    tokens = [member.post(SANDBOX, DEV1).json()["accessToken"] for _ in range(4)]

    assert all(works(salesforce, token) for token in tokens)
    assert len(salesforce.calls_to(path=SANDBOX_AUTH)) == 1


# --- Failures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["x' OR SandboxName LIKE '%", "dev1/../x", "dev\\1", "d" * 300, "", "   ", "dev 1", "dev1\r\nHost: evil", "<b>", 7],
)
def test_a_hostile_name_is_refused_before_any_call_to_salesforce(name, member, salesforce, production):
    response = member.post(SANDBOX, {"sandboxName": name, "productionUsername": PROD})

    assert response.status_code == 400, response
    assert response.json()["code"] == "VALIDATION_FAILED"
    assert not salesforce.calls


def test_a_sandbox_that_is_not_ready_is_503_with_retry_after(member, salesforce, production, sandbox):
    production.processes[-1].status = "Processing"

    response = member.post(SANDBOX, DEV1)

    assert response.refusal == (503, "SANDBOX_BUSY")
    assert response.headers["Retry-After"] == "300"
    assert not OnDemandGrant.objects.exists()


def test_a_sandbox_of_another_creator_is_refused_and_the_message_says_why(member, salesforce, sandbox):
    sandbox.creator = "release@acme.example"

    response = member.post(SANDBOX, DEV1)

    assert response.refusal == (409, "SANDBOX_AUTH_REFUSED")
    assert PROD in response.json()["message"]
    assert "created or last refreshed" in response.json()["message"]


def test_the_error_names_a_production_org_without_access(member, salesforce, production, sandbox):
    production.revoke_all()

    response = member.post(SANDBOX, DEV1)

    assert response.refusal == (409, "CREDENTIAL_EXPIRED")
    assert response.json()["message"].startswith(PROD)


def test_an_ended_parent_session_is_replaced_once(member, salesforce, production, sandbox):
    for session in salesforce.sessions.values():
        session.alive = False

    response = member.post(SANDBOX, DEV1)

    assert response.status_code == 201, response
    assert _paths(salesforce) == ["sandboxAuth", "token", "sandboxAuth", "token", "singleaccess"]


@pytest.mark.parametrize(
    ("fault", "path", "status", "code"),
    [
        (Fault.html_maintenance(), SANDBOX_AUTH, 503, "UPSTREAM_MAINTENANCE"),
        (Fault.rest(403, "REQUEST_LIMIT_EXCEEDED"), SANDBOX_AUTH, 503, "ORG_API_LIMIT"),
        (Fault.fields(loginUrl="https://evil.example"), SANDBOX_AUTH, 502, "UPSTREAM_UNTRUSTED_URL"),
        (Fault.fields(instanceUrl="http://10.0.0.5"), SANDBOX_AUTH, 502, "UPSTREAM_UNTRUSTED_URL"),
        (Fault.body(b"<html>"), SANDBOX_AUTH, 502, "UPSTREAM_UNREADABLE"),
        (Fault.hang(1), SANDBOX_AUTH, 504, "UPSTREAM_TIMEOUT"),
        (Fault.fields(instance_url="https://evil.example"), "/services/oauth2/token", 502, "UPSTREAM_UNTRUSTED_URL"),
        (Fault.fields(refresh_token=None), "/services/oauth2/token", 502, "UPSTREAM_UNREADABLE"),
        (
            Fault.oauth("invalid_client", "app must be installed into org"),
            "/services/oauth2/token",
            409,
            "APP_NOT_INSTALLED",
        ),
        (Fault.reset(), "/services/oauth2/token", 503, "UPSTREAM_LOST"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_after_a_failure_the_next_request_succeeds(fault, path, status, code, member, salesforce, sandbox):
    salesforce.inject(fault, path=path)

    response, again = member.post(SANDBOX, DEV1), member.post(SANDBOX, DEV1)

    assert response.refusal == (status, code), response
    assert "evil.example" not in response.text
    assert again.status_code == 201, again


def test_a_token_is_issued_even_if_no_link_can_be_created(member, salesforce, sandbox):
    sandbox.users[0].api_only = True

    response = member.post(SANDBOX, DEV1)

    assert response.status_code == 201, response
    content = response.json()
    assert content["frontDoorUrl"] == sandbox.instance_url
    assert content["frontDoorError"].startswith("FRONTDOOR_REFUSED")
    assert works(salesforce, content["accessToken"])


def test_a_legacy_link_is_created_only_if_the_operator_allows_it(member, salesforce, sandbox, settings):
    sandbox.users[0].api_only = True
    settings.ALLOW_LEGACY_FRONTDOOR = True

    content = member.post(SANDBOX, DEV1).json()

    assert content["frontDoorUrl"].startswith(f"{sandbox.instance_url}/secur/frontdoor.jsp?sid=")
    assert not AuditEvent.objects.filter(details__icontains="sid=").exists()


def test_each_issued_token_is_audited_without_the_token(member, salesforce, sandbox):
    content = member.post(SANDBOX, DEV1).json()

    rows = AuditEvent.objects.filter(actor_name="member@acme.example")
    was_issued = set(rows.filter(outcome="granted").values_list("action", flat=True))
    assert {"access_token.handed_out", "frontdoor.handed_out"} <= was_issued
    assert not any(content["accessToken"] in str(row.details) for row in rows)


# --- Stored grants ------------------------------------------------------------------------------------


def test_a_grant_unused_for_30_days_is_deleted_and_revoked_later(member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)
    grant = OnDemandGrant.objects.get()
    OnDemandGrant.objects.update(last_used_at=grant.last_used_at - IDLE)

    assert drop_idle_grants() == 1
    assert Credential.objects.orphaned().filter(ever_rotated=True).count() == 1


def test_registering_the_auth_url_of_a_grant_moves_its_credential_to_the_org(owner, member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)
    grant = next(grant for grant in salesforce.grants if grant.user.org is sandbox)
    url = f"force://PlatformCLI::{grant.newest}@{sandbox.host}"

    response = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert response.status_code == 201, response
    assert OnDemandGrant.objects.get().credential is None
    assert SalesforceOrg.objects.get(username="ci@acme.example.dev1").credential is not None
    assert owner.post(f"{SF}/access-token", username="dev1").status_code == 200
