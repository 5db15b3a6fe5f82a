"""POST /sfp/api/auth/salesforce/register."""

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential, KnownToken
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import ORG, REGISTER, a_registered_org, an_org, register

pytestmark = pytest.mark.django_db


@pytest.mark.database
def test_an_owner_registers_an_org(owner, salesforce):
    org = an_org(salesforce, "ci@acme.example")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "metadata": {"team": "core"}})

    assert answer.status_code == 201, answer
    body = answer.json()
    health = body.pop("health")
    assert body == {
        "username": "ci@acme.example",
        "instanceUrl": "https://ci.my.salesforce.com",
        "orgId": org.org_id,
        "organizationType": "Enterprise Edition",
        "instanceName": "NA139",
        "isJitRegistration": False,
        "isDevHub": False,
        "isDefault": False,
        "metadata": {"team": "core"},
    }
    assert health["state"] == "healthy"
    assert health["rotates"] is False


@pytest.mark.database
def test_a_sandbox_is_known_by_its_name_too(owner, salesforce):
    sandbox = salesforce.add_sandbox(an_org(salesforce), "Dev1")
    register(owner, sandbox)

    answer = owner.get(ORG, username=" DEV1 ")

    assert answer.json()["username"] == sandbox.username


def test_a_scratch_org_is_told_apart_by_its_trial(owner, salesforce):
    hub = an_org(salesforce)
    scratch = salesforce.add_scratch_org(
        hub, username="s@acme.example", host="swift-1-dev-ed.scratch.my.salesforce.com"
    )

    register(owner, scratch)

    assert SalesforceOrg.objects.get(username="s@acme.example").kind == "scratch"


@pytest.mark.database
def test_registering_again_answers_201_and_keeps_what_is_not_said(owner, salesforce):
    org = a_registered_org(owner, salesforce, isDevHub=True, isDefault=True, metadata={"team": "core"})

    again = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert again.status_code == 201
    assert again.json()["isDevHub"] is True
    assert again.json()["isDefault"] is True
    assert again.json()["metadata"] == {"team": "core"}
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1, "the credential that was replaced is gone"


@pytest.mark.database
def test_registering_again_replaces_what_is_said(owner, salesforce):
    org = a_registered_org(owner, salesforce, isDevHub=True, isDefault=True, metadata={"team": "core"})

    again = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDevHub": False, "metadata": {"tier": 1}})

    assert (again.json()["isDevHub"], again.json()["isDefault"]) == (False, False)
    assert again.json()["metadata"] == {"tier": 1}


@pytest.mark.database
def test_the_username_is_that_of_the_user_in_the_spelling_of_salesforce(owner, salesforce):
    org = an_org(salesforce, "CI@Acme.example", host="acme.my.salesforce.com")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "username": "ci@acme.EXAMPLE"})

    assert answer.status_code == 201
    assert answer.json()["username"] == "CI@Acme.example"


@pytest.mark.database
def test_another_username_than_the_user_s_is_refused(owner, salesforce):
    org = an_org(salesforce)

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "username": "other@acme.example"})

    assert answer.status_code == 400
    assert answer.json()["code"] == "USERNAME_MISMATCH"
    assert SalesforceOrg.objects.count() == Credential.objects.count() == 0


def test_the_instance_url_of_salesforce_wins(owner, salesforce):
    org = an_org(salesforce)
    url = org.auth_url()
    org.move_to("acme2.my.salesforce.com")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": url, "instanceUrl": "https://ci.my.salesforce.com/"})

    assert answer.json()["instanceUrl"] == "https://acme2.my.salesforce.com"


def test_an_org_that_is_no_dev_hub_cannot_be_registered_as_one(owner, salesforce):
    org = an_org(salesforce)

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDevHub": True})

    assert answer.status_code == 400
    assert answer.json()["code"] == "NOT_A_DEVHUB"
    assert SalesforceOrg.objects.count() == 0


@pytest.mark.database
def test_a_default_that_is_no_dev_hub_is_refused(owner, salesforce):
    org = an_org(salesforce, is_dev_hub=True)

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDefault": True})

    assert answer.status_code == 400
    assert answer.json()["code"] == "DEFAULT_NEEDS_DEVHUB"


@pytest.mark.database
def test_a_second_default_takes_the_place_of_the_first(owner, salesforce):
    a_registered_org(owner, salesforce, "one@acme.example", isDevHub=True, isDefault=True)

    a_registered_org(owner, salesforce, "two@acme.example", isDevHub=True, isDefault=True)

    assert [org.username for org in SalesforceOrg.objects.filter(is_default=True)] == ["two@acme.example"]


def test_an_org_behind_the_login_host_is_registered_under_its_own_host(owner, salesforce):
    org = an_org(salesforce)
    url = org.auth_url().replace("@ci.my.salesforce.com", "@login.salesforce.com")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert answer.status_code == 201
    assert answer.json()["instanceUrl"] == "https://ci.my.salesforce.com"


def test_an_app_with_a_secret_works(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret")
    org = an_org(salesforce)

    register(owner, org, app)

    assert salesforce.is_alive(org.auth_url(app))


# --- Refusals of Salesforce --------------------------------------------------------------------------


def _dead(org):
    org.revoke_all()


def _inactive(org):
    org.users[0].deactivate()


def _locked(org):
    org.suspend()


def _uninstalled(org):
    org.emulator.apps["PlatformCLI"].installed = False


def _restricted(org):
    org.ip_restricted = True


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_dead, "CREDENTIAL_EXPIRED"),
        (_inactive, "USER_INACTIVE"),
        (_locked, "ORG_GONE"),
        (_uninstalled, "APP_NOT_INSTALLED"),
        (_restricted, "IP_NOT_ALLOWED"),
    ],
)
def test_a_definite_refusal_is_400_and_nothing_is_stored(owner, salesforce, spoil, code):
    org = an_org(salesforce)
    url = org.auth_url()
    spoil(org)

    answer = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert answer.status_code == 400, answer
    assert answer.json()["code"] == code
    assert answer.json()["action"]
    assert SalesforceOrg.objects.count() == Credential.objects.count() == KnownToken.objects.count() == 0


@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        (Fault.html_maintenance(), 503, "UPSTREAM_MAINTENANCE", "60"),
        (Fault.status(500), 503, "UPSTREAM_ERROR", "30"),
        (Fault.no_name(), 503, "UPSTREAM_UNREACHABLE", "30"),
        (Fault.oauth("invalid_grant", "token request is already being processed"), 503, "REFRESH_IN_PROGRESS", "1"),
        (Fault.oauth("invalid_grant", "login rate exceeded"), 429, "UPSTREAM_LOGIN_LIMIT", "3600"),
        (Fault.hang(60), 504, "UPSTREAM_TIMEOUT", None),
        (Fault.body(b"{}"), 502, "UPSTREAM_UNREADABLE", None),
        (Fault.fields(instance_url="https://evil.example"), 502, "UPSTREAM_UNTRUSTED_URL", None),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_trouble_of_salesforce_stores_no_org(owner, salesforce, fault, status, code, retry_after):
    org = an_org(salesforce)
    salesforce.inject(fault, path="/services/oauth2/token")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert answer.status_code == status, answer
    assert answer.json()["code"] == code
    assert answer.headers.get("Retry-After") == retry_after
    assert SalesforceOrg.objects.count() == 0


@pytest.mark.database
def test_trouble_after_the_refresh_stores_no_org_and_forgets_a_token_that_did_not_rotate(owner, salesforce):
    org = an_org(salesforce)
    salesforce.inject(Fault.status(500), path="/services/data")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert answer.status_code == 503
    assert SalesforceOrg.objects.count() == Credential.objects.count() == 0


@pytest.mark.database
def test_an_org_that_was_registered_stays_as_it_was_when_registering_again_fails(owner, salesforce):
    org = a_registered_org(owner, salesforce, metadata={"team": "core"})
    before = owner.get(ORG, username=org.username, authType="accessToken").json()
    dead = org.auth_url()
    salesforce.end_grants(lambda grant: grant is salesforce.family_of(dead))

    answer = owner.post(REGISTER, {"sfdxAuthUrl": dead, "metadata": {"team": "other"}})

    after = owner.get(ORG, username=org.username, authType="accessToken").json()
    assert answer.status_code == 400
    assert after["metadata"] == before["metadata"] == {"team": "core"}
    assert after["accessToken"]


# --- A refreshed sandbox, another user ---------------------------------------------------------------


@pytest.mark.database
def test_a_changed_org_id_updates_the_row_and_is_audited(owner, salesforce):
    parent = an_org(salesforce)
    sandbox = salesforce.add_sandbox(parent, "dev1")
    before = register(owner, sandbox)["orgId"]
    sandbox.delete()
    sandbox.host = "gone.my.salesforce.com"
    refreshed = salesforce.add_org(
        "ci--dev1b.sandbox.my.salesforce.com", username=sandbox.username, kind="sandbox", instance_name="CS42"
    )

    after = register(owner, refreshed)["orgId"]

    event = AuditEvent.objects.get(action="org.org_id_changed")
    assert after != before
    assert event.details == {"old": before, "new": after}
    assert SalesforceOrg.objects.count() == 1


@pytest.mark.database
def test_another_user_of_the_same_org_is_another_registration(owner, salesforce):
    org = a_registered_org(owner, salesforce)
    other = org.add_user("release@acme.example")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(user=other)})

    assert answer.json()["username"] == "release@acme.example"
    assert SalesforceOrg.objects.count() == 2


# --- An access token that Salesforce ends under our hands --------------------------------------------


def test_a_session_that_was_ended_is_opened_anew_once(owner, salesforce):
    org = an_org(salesforce)
    salesforce.inject(Fault.rest(401, "INVALID_SESSION_ID"), path="/services/data/v")

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert answer.status_code == 201
    assert salesforce.refreshes() == 2


def test_sessions_that_are_never_accepted_are_an_error_that_says_so(owner, salesforce):
    org = an_org(salesforce)
    salesforce.inject(Fault.rest(401, "INVALID_SESSION_ID"), path="/services/data/v", times=None)

    answer = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert (answer.status_code, answer.json()["code"]) == (502, "SESSION_REFUSED")
    assert salesforce.refreshes() == 2
