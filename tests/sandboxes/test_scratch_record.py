"""The ScratchOrgInfo record of an unregistered scratch org: its auth URL, its status and a rotated token."""

from datetime import UTC, datetime, timedelta

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential, KnownToken
from orgs.salesforce.emulator import Fault
from sandboxes.models import OnDemandGrant
from tests.orgs.factories import REGISTER, an_org
from tests.sandboxes.factories import PROD, SCRATCH, a_production_org, a_scratch_org, works

pytestmark = pytest.mark.django_db
FIELD = "SfdxAuthUrl__c"
S1 = {"scratchOrgUsername": "s1@acme.example", "devhubUsername": PROD}


@pytest.fixture
def hub(owner, salesforce):
    return a_production_org(owner, salesforce)


@pytest.fixture
def scratch(hub, salesforce):
    return a_scratch_org(salesforce, hub)


@pytest.fixture
def record(hub, scratch):
    return hub.scratch_record("s1@acme.example")


@pytest.mark.parametrize(
    "text", [None, "", "nonsense", "force://PlatformCLI::undefined@s1-dev-ed.scratch.my.salesforce.com"]
)
def test_a_record_without_an_auth_url_is_an_error(text, member, salesforce, scratch, record):
    record.fields[FIELD] = text

    response = member.post(SCRATCH, S1)

    assert response.refusal == (400, "SFDX_AUTH_URL_MISSING")
    assert not text or text not in response.text


def test_a_dev_hub_without_the_field_is_an_error(member, scratch, settings):
    settings.SCRATCH_AUTH_URL_FIELD = "Other__c"

    response = member.post(SCRATCH, S1)

    assert response.refusal == (400, "SFDX_AUTH_URL_MISSING")
    assert "Other__c" in response.json()["message"]


def test_the_field_name_is_configurable(owner, member, salesforce, hub, settings):
    settings.SCRATCH_AUTH_URL_FIELD = "Sfdx_Auth_Url__c"
    org = a_scratch_org(salesforce, hub)
    record = hub.scratch_record("s1@acme.example")
    record.fields = {"Sfdx_Auth_Url__c": record.fields[FIELD]}

    assert member.post(SCRATCH, S1).json()["orgId"] == org.org_id


@pytest.mark.parametrize("host", ["evil.example", "login.salesforce.com.evil.example", "10.0.0.5"])
def test_an_auth_url_of_a_foreign_host_is_refused_and_nothing_is_sent_there(host, member, salesforce, scratch, record):
    record.fields[FIELD] = f"force://a:b:c@{host}"

    response = member.post(SCRATCH, S1)

    assert response.refusal == (502, "UPSTREAM_UNTRUSTED_URL")
    assert {call.host for call in salesforce.calls} == {"ci.my.salesforce.com"}
    assert host not in response.text
    assert not OnDemandGrant.objects.exists()


def test_an_auth_url_of_another_org_is_refused(member, salesforce, scratch, record):
    other = an_org(salesforce, "victim@acme.example")
    record.fields[FIELD] = other.auth_url()

    response = member.post(SCRATCH, S1)

    assert response.refusal == (409, "ORG_ID_MISMATCH")
    assert "accessToken" not in response.text
    assert not OnDemandGrant.objects.exists()
    assert not AuditEvent.objects.filter(action="access_token.handed_out", outcome="granted").exists()


def test_the_auth_url_of_a_registered_org_is_not_sent(owner, member, salesforce, scratch, record):
    victim = an_org(salesforce, "victim@acme.example")
    record.fields[FIELD] = url = victim.auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    salesforce.reset_calls()

    response = member.post(SCRATCH, S1)

    assert response.refusal == (409, "ORG_ID_MISMATCH")
    assert not salesforce.calls_to(host=victim.host)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"status": "Deleted"}, 410, "SCRATCH_ORG_EXPIRED"),
        ({"expires": str(datetime.now(UTC).date() - timedelta(days=2))}, 410, "SCRATCH_ORG_EXPIRED"),
        ({"status": "Creating"}, 503, "ORG_NOT_READY"),
    ],
    ids=["deleted", "expired", "creating"],
)
def test_a_record_of_a_deleted_org_is_expired(change, status, code, member, scratch, record):
    for name, value in change.items():
        setattr(record, name, value)

    response = member.post(SCRATCH, S1)

    assert response.refusal == (status, code)


@pytest.mark.django_db(transaction=True)
def test_an_expired_scratch_org_is_reported_with_several_dev_hubs_too(owner, member, salesforce):
    a_production_org(owner, salesforce, "other@acme.example")
    hub = a_production_org(owner, salesforce)
    a_scratch_org(salesforce, hub)
    hub.scratch_record("s1@acme.example").status = "Deleted"

    response = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})

    assert response.refusal == (410, "SCRATCH_ORG_EXPIRED")


def test_a_deleted_org_with_an_active_record_is_expired(member, scratch):
    scratch.delete()

    assert member.post(SCRATCH, S1).json()["code"] == "SCRATCH_ORG_EXPIRED"


def test_a_refused_auth_url_is_an_error_until_the_record_has_a_new_one(member, salesforce, scratch, record):
    member.post(SCRATCH, S1)
    scratch.revoke_all()

    refused = member.post(SCRATCH, S1)
    record.fields[FIELD] = scratch.auth_url()
    repaired = member.post(SCRATCH, S1)

    assert refused.refusal == (409, "CREDENTIAL_EXPIRED")
    assert "DevHub" in refused.json()["action"]
    assert repaired.status_code == 201, repaired
    assert Credential.objects.filter(on_demand_grant__isnull=False).count() == 1


# --- Rotation ------------------------------------------------------------------------------------------


@pytest.fixture
def rotating(salesforce, hub):
    return a_scratch_org(salesforce, hub, app=salesforce.add_app("AcmeCI", "s3cret", rotates=True))


def test_a_rotated_token_is_written_back_to_the_record(owner, salesforce, hub, rotating):
    record = hub.scratch_record("s1@acme.example")
    before = record.fields[FIELD]

    responses = [owner.post(SCRATCH, S1) for _ in range(3)]

    assert [response.status_code for response in responses] == [201] * 3
    assert all("sfdxAuthUrl" not in response.json() for response in responses)
    assert record.fields[FIELD] != before
    assert salesforce.is_alive(record.fields[FIELD])
    grant = salesforce.family_of(record.fields[FIELD])
    assert record.fields[FIELD].endswith(f":{grant.newest}@{rotating.host}")
    assert AuditEvent.objects.filter(action="auth_url.written_to_dev_hub", outcome="granted").count() == 3


def test_a_token_is_issued_even_if_the_record_cannot_be_written(member, salesforce, hub, rotating):
    hub.scratch_info_is_read_only = True

    responses = [member.post(SCRATCH, S1) for _ in range(3)]

    assert [response.status_code for response in responses] == [201] * 3
    assert all(works(salesforce, response.json()["accessToken"]) for response in responses)
    assert AuditEvent.objects.filter(action="auth_url.written_to_dev_hub", outcome="failed").count() == 3


def test_tokens_written_to_the_record_are_known_permanently(member, salesforce, hub, rotating):
    for _ in range(25):
        assert member.post(SCRATCH, S1).status_code == 201

    assert KnownToken.objects.filter(credential__on_demand_grant__isnull=False, outside=True).count() == 26


def test_a_lost_response_for_a_rotating_scratch_org_is_an_error(member, salesforce, rotating):
    member.post(SCRATCH, S1)
    salesforce.inject(Fault.reset(), host=rotating.host, path="/services/oauth2/token")

    lost, after = member.post(SCRATCH, S1), member.post(SCRATCH, S1)

    assert lost.refusal == (503, "UPSTREAM_LOST")
    assert after.refusal == (409, "LOST_ANSWER")
