"""POST /sfp/api/auth/salesforce/register."""

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from tests.orgs.factories import ORG, REGISTER, a_registered_org, an_org, register

pytestmark = pytest.mark.django_db


@pytest.mark.database
def test_an_owner_registers_an_org(owner, salesforce):
    org = an_org(salesforce, "ci@acme.example")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "metadata": {"team": "core"}})

    assert response.status_code == 201, response
    body = response.json()
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
def test_a_sandbox_is_found_by_its_name_too(owner, salesforce):
    sandbox = salesforce.add_sandbox(an_org(salesforce), "Dev1")
    register(owner, sandbox)

    response = owner.get(ORG, username=" DEV1 ")

    assert response.json()["username"] == sandbox.username


def test_a_scratch_org_is_recognized_by_its_trial_expiration(owner, salesforce):
    hub = an_org(salesforce)
    scratch = salesforce.add_scratch_org(
        hub, username="s@acme.example", host="swift-1-dev-ed.scratch.my.salesforce.com"
    )

    register(owner, scratch)

    assert SalesforceOrg.objects.get(username="s@acme.example").kind == "scratch"


@pytest.mark.database
def test_registering_again_is_201_and_keeps_omitted_values(owner, salesforce):
    org = a_registered_org(owner, salesforce, isDevHub=True, isDefault=True, metadata={"team": "core"})

    again = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert again.status_code == 201
    assert again.json()["isDevHub"] is True
    assert again.json()["isDefault"] is True
    assert again.json()["metadata"] == {"team": "core"}
    assert SalesforceOrg.objects.count() == 1
    assert Credential.objects.count() == 1, "the credential that was replaced is gone"


@pytest.mark.database
def test_registering_again_replaces_sent_values(owner, salesforce):
    org = a_registered_org(owner, salesforce, isDevHub=True, isDefault=True, metadata={"team": "core"})

    again = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDevHub": False, "metadata": {"tier": 1}})

    assert (again.json()["isDevHub"], again.json()["isDefault"]) == (False, False)
    assert again.json()["metadata"] == {"tier": 1}


@pytest.mark.database
def test_the_username_is_stored_as_salesforce_spells_it(owner, salesforce):
    org = an_org(salesforce, "CI@Acme.example", host="acme.my.salesforce.com")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "username": "ci@acme.EXAMPLE"})

    assert response.status_code == 201
    assert response.json()["username"] == "CI@Acme.example"


@pytest.mark.database
def test_the_username_of_another_user_is_refused(owner, salesforce):
    org = an_org(salesforce)

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "username": "other@acme.example"})

    assert response.status_code == 400
    assert response.json()["code"] == "USERNAME_MISMATCH"
    assert SalesforceOrg.objects.count() == Credential.objects.count() == 0


def test_the_instance_url_is_stored_as_salesforce_returns_it(owner, salesforce):
    org = an_org(salesforce)
    url = org.auth_url()
    org.move_to("acme2.my.salesforce.com")

    response = owner.post(REGISTER, {"sfdxAuthUrl": url, "instanceUrl": "https://ci.my.salesforce.com/"})

    assert response.json()["instanceUrl"] == "https://acme2.my.salesforce.com"


def test_an_org_that_is_not_a_dev_hub_cannot_be_registered_as_one(owner, salesforce):
    org = an_org(salesforce)

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDevHub": True})

    assert response.status_code == 400
    assert response.json()["code"] == "NOT_A_DEVHUB"
    assert SalesforceOrg.objects.count() == 0


@pytest.mark.database
def test_a_default_that_is_not_a_dev_hub_is_refused(owner, salesforce):
    org = an_org(salesforce, is_dev_hub=True)

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDefault": True})

    assert response.status_code == 400
    assert response.json()["code"] == "DEFAULT_NEEDS_DEVHUB"


@pytest.mark.database
def test_a_second_default_replaces_the_first(owner, salesforce):
    a_registered_org(owner, salesforce, "one@acme.example", isDevHub=True, isDefault=True)

    a_registered_org(owner, salesforce, "two@acme.example", isDevHub=True, isDefault=True)

    assert [org.username for org in SalesforceOrg.objects.filter(is_default=True)] == ["two@acme.example"]


def test_an_auth_url_of_the_login_host_is_registered_with_the_host_of_its_org(owner, salesforce):
    org = an_org(salesforce)
    url = org.auth_url().replace("@ci.my.salesforce.com", "@login.salesforce.com")

    response = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert response.status_code == 201
    assert response.json()["instanceUrl"] == "https://ci.my.salesforce.com"


def test_an_app_with_a_client_secret_can_be_used(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret")
    org = an_org(salesforce)

    register(owner, org, app)

    assert salesforce.is_alive(org.auth_url(app))


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
    assert event.changes == {"orgId": {"before": before, "after": after}}
    assert SalesforceOrg.objects.count() == 1


@pytest.mark.database
def test_another_user_of_the_same_org_is_another_registration(owner, salesforce):
    org = a_registered_org(owner, salesforce)
    other = org.add_user("release@acme.example")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(user=other)})

    assert response.json()["username"] == "release@acme.example"
    assert SalesforceOrg.objects.count() == 2


# --- A session that Salesforce ends during the registration ------------------------------------------


def test_an_ended_session_is_replaced_once(owner, salesforce):
    org = an_org(salesforce)
    salesforce.inject(Fault.rest(401, "INVALID_SESSION_ID"), path="/services/data/v")

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert response.status_code == 201
    assert salesforce.refreshes() == 2


def test_sessions_that_are_never_accepted_are_an_error(owner, salesforce):
    org = an_org(salesforce)
    salesforce.inject(Fault.rest(401, "INVALID_SESSION_ID"), path="/services/data/v", times=None)

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert response.refusal == (502, "SESSION_REFUSED")
    assert salesforce.refreshes() == 2
