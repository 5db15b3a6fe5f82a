"""POST .../scratch/authenticate: a scratch org that nobody registered, by its DevHub's record."""

from datetime import UTC, datetime, timedelta

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential, KnownToken
from orgs.salesforce.emulator import Fault
from sandboxes.models import OnDemandGrant
from tests.orgs.factories import REGISTER, a_registered_org, an_org
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


@pytest.mark.parametrize(("role", "has_url"), [("member", False), ("application", True), ("owner", True)])
def test_a_scratch_org_is_opened_through_its_dev_hub(role, has_url, request, salesforce, hub, scratch, record):
    caller = request.getfixturevalue(role)

    answer = caller.post(SCRATCH, S1)

    assert answer.status_code == 201, answer
    content = answer.json()
    assert content["scratchOrgUsername"] == "s1@acme.example"
    assert content["orgId"] == scratch.org_id
    assert content["instanceUrl"] == scratch.instance_url
    assert content["devhubOrg"] == {"username": PROD, "instanceUrl": hub.instance_url, "orgId": hub.org_id}
    assert works(salesforce, content["accessToken"])
    assert content["frontDoorUrl"].startswith(f"{scratch.instance_url}/secur/frontdoor.jsp?otp=")
    assert content.get("sfdxAuthUrl") == (record.fields[FIELD] if has_url else None)


def test_the_username_is_found_whatever_its_case(member, scratch):
    answer = member.post(SCRATCH, S1 | {"scratchOrgUsername": " S1@ACME.example "})

    assert answer.json()["scratchOrgUsername"] == "s1@acme.example"


def test_the_auth_url_stays_where_the_operator_wants_it(owner, scratch, settings):
    settings.ALLOW_AUTH_URL_RELEASE = False

    assert "sfdxAuthUrl" not in owner.post(SCRATCH, S1).json()


def test_each_auth_url_that_goes_out_is_audited(owner, member, scratch):
    member.post(SCRATCH, S1)
    before = AuditEvent.objects.filter(action="auth_url.handed_out").count()
    owner.post(SCRATCH, S1)

    assert (before, AuditEvent.objects.filter(action="auth_url.handed_out", outcome="granted").count()) == (0, 1)


def test_twelve_jobs_in_turn_get_tokens_that_all_work_at_the_end(application, salesforce, scratch):
    tokens = [application.post(SCRATCH, S1).json()["accessToken"] for _ in range(12)]

    assert all(works(salesforce, token) for token in tokens)
    assert Credential.objects.filter(on_demand_grant__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_dev_hub_all_are_asked(owner, member, salesforce):
    a_production_org(owner, salesforce, "other@acme.example")
    a_scratch_org(salesforce, a_production_org(owner, salesforce))

    answer = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})

    assert answer.json()["devhubOrg"]["username"] == PROD


@pytest.mark.django_db(transaction=True)
def test_one_dead_dev_hub_does_not_fail_the_search(owner, member, salesforce):
    dead = a_production_org(owner, salesforce, "dead@acme.example")
    a_scratch_org(salesforce, a_production_org(owner, salesforce))
    dead.revoke_all()

    found = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})
    not_found = member.post(SCRATCH, {"scratchOrgUsername": "s9@acme.example"})

    assert found.status_code == 201, found
    assert (not_found.status_code, not_found.json()["code"]) == (503, "SEARCH_INCOMPLETE")


@pytest.mark.django_db(transaction=True)
def test_a_dev_hub_without_the_field_does_not_make_the_search_incomplete(owner, member, salesforce, scratch):
    other = a_production_org(owner, salesforce, "other@acme.example")
    a_scratch_org(salesforce, other, "s2@acme.example")
    del other.scratch_record("s2@acme.example").fields[FIELD]

    found, *lost = (member.post(SCRATCH, {"scratchOrgUsername": f"{name}@acme.example"}) for name in ("s1", "s2", "s9"))

    assert found.status_code == 201, found
    assert [(answer.status_code, answer.json()["code"]) for answer in lost] == [(404, "SCRATCH_ORG_NOT_FOUND")] * 2
    assert f"other@acme.example (which has no field {FIELD})" in lost[0].json()["message"]


def test_an_unknown_scratch_org_is_not_found(member, hub):
    answer = member.post(SCRATCH, {"scratchOrgUsername": "s9@acme.example"})

    assert (answer.status_code, answer.json()["code"]) == (404, "SCRATCH_ORG_NOT_FOUND")


def test_a_dev_hub_must_be_registered_and_be_one(owner, member, salesforce, scratch):
    no_hub = a_registered_org(owner, salesforce, "plain@acme.example")

    nobody = member.post(SCRATCH, S1 | {"devhubUsername": "nobody@acme.example"})
    plain = member.post(SCRATCH, S1 | {"devhubUsername": no_hub.username})

    assert (nobody.status_code, nobody.json()["code"]) == (404, "ORG_NOT_FOUND")
    assert (plain.status_code, plain.json()["code"]) == (404, "DEVHUB_NOT_FOUND")


def test_without_any_dev_hub_the_answer_says_so(member, salesforce):
    answer = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})

    assert (answer.status_code, answer.json()["code"]) == (404, "DEVHUB_NOT_FOUND")


@pytest.mark.parametrize("spelling", ["s1@acme.example", "S1@Acme.Example"])
def test_a_registered_scratch_org_is_refused_before_anybody_is_asked(spelling, owner, member, salesforce, scratch):
    owner.post(REGISTER, {"sfdxAuthUrl": scratch.auth_url()})
    salesforce.reset_calls()

    answer = member.post(SCRATCH, S1 | {"scratchOrgUsername": spelling})

    assert (answer.status_code, answer.json()["code"]) == (400, "SCRATCH_ORG_REGISTERED")
    assert not salesforce.calls


@pytest.mark.parametrize(
    "name",
    [
        "x' OR Status='Active",
        "x' OR Status='Active' LIMIT 1 --@a.b",
        "x\\' OR Status='Active@a.b",
        "a\\@b.example",
        "a@b.example\r\nHost: evil",
        "a@" + "b" * 300,
        "a@b@c.example",
        "no-at-sign",
        "",
        None,
    ],
)
def test_a_hostile_username_is_refused_before_anybody_is_asked(name, member, salesforce, hub):
    answer = member.post(SCRATCH, {"scratchOrgUsername": name, "devhubUsername": PROD})

    assert answer.status_code == 400, answer
    assert not salesforce.calls


def test_a_scratch_org_that_is_registered_by_another_user_of_it_is_refused(owner, member, salesforce, scratch):
    other = scratch.add_user("other@acme.example")
    assert owner.post(REGISTER, {"sfdxAuthUrl": scratch.auth_url(user=other)}).status_code == 201

    answer = member.post(SCRATCH, S1)

    assert (answer.status_code, answer.json()["code"]) == (400, "SCRATCH_ORG_REGISTERED")
    assert "other@acme.example" in answer.json()["message"]


def test_a_query_holds_one_literal(member, salesforce, scratch):
    member.post(SCRATCH, S1)

    queries = [call for call in salesforce.calls if call.path.endswith("/query")]
    assert [call.literals for call in queries] == [1]


# --- What the record says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [None, "", "nonsense", "force://PlatformCLI::undefined@s1-dev-ed.scratch.my.salesforce.com"]
)
def test_a_record_without_an_auth_url_is_told(text, member, salesforce, scratch, record):
    record.fields[FIELD] = text

    answer = member.post(SCRATCH, S1)

    assert (answer.status_code, answer.json()["code"]) == (400, "SFDX_AUTH_URL_MISSING")
    assert "undefined" not in answer.text


def test_a_dev_hub_without_the_field_is_told(member, scratch, settings):
    settings.SCRATCH_AUTH_URL_FIELD = "Other__c"

    answer = member.post(SCRATCH, S1)

    assert (answer.status_code, answer.json()["code"]) == (400, "SFDX_AUTH_URL_MISSING")
    assert "Other__c" in answer.json()["message"]


def test_the_field_may_have_another_name(owner, member, salesforce, hub, settings):
    settings.SCRATCH_AUTH_URL_FIELD = "Sfdx_Auth_Url__c"
    org = a_scratch_org(salesforce, hub)
    record = hub.scratch_record("s1@acme.example")
    record.fields = {"Sfdx_Auth_Url__c": record.fields[FIELD]}

    assert member.post(SCRATCH, S1).json()["orgId"] == org.org_id


@pytest.mark.parametrize("host", ["evil.example", "login.salesforce.com.evil.example", "10.0.0.5"])
def test_an_auth_url_of_a_foreign_host_is_refused_and_nothing_is_sent_there(host, member, salesforce, scratch, record):
    record.fields[FIELD] = f"force://a:b:c@{host}"

    answer = member.post(SCRATCH, S1)

    assert (answer.status_code, answer.json()["code"]) == (502, "UPSTREAM_UNTRUSTED_URL")
    assert {call.host for call in salesforce.calls} == {"ci.my.salesforce.com"}
    assert host not in answer.text
    assert not OnDemandGrant.objects.exists()


def test_an_auth_url_of_another_org_is_refused(member, salesforce, scratch, record):
    other = an_org(salesforce, "victim@acme.example")
    record.fields[FIELD] = other.auth_url()

    answer = member.post(SCRATCH, S1)

    assert (answer.status_code, answer.json()["code"]) == (409, "ORG_ID_MISMATCH")
    assert "accessToken" not in answer.text
    assert not OnDemandGrant.objects.exists()
    assert not AuditEvent.objects.filter(action="access_token.handed_out", outcome="granted").exists()


def test_the_auth_url_of_a_registered_org_is_not_even_sent(owner, member, salesforce, scratch, record):
    victim = an_org(salesforce, "victim@acme.example")
    record.fields[FIELD] = url = victim.auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url})
    salesforce.reset_calls()

    answer = member.post(SCRATCH, S1)

    assert (answer.status_code, answer.json()["code"]) == (409, "ORG_ID_MISMATCH")
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
def test_a_record_that_says_the_org_is_no_more(change, status, code, member, scratch, record):
    for name, value in change.items():
        setattr(record, name, value)

    answer = member.post(SCRATCH, S1)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.django_db(transaction=True)
def test_an_expired_scratch_org_is_told_among_several_dev_hubs_too(owner, member, salesforce):
    a_production_org(owner, salesforce, "other@acme.example")
    hub = a_production_org(owner, salesforce)
    a_scratch_org(salesforce, hub)
    hub.scratch_record("s1@acme.example").status = "Deleted"

    answer = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})

    assert (answer.status_code, answer.json()["code"]) == (410, "SCRATCH_ORG_EXPIRED")


def test_a_dead_org_whose_record_lives_on_is_gone(member, scratch):
    scratch.delete()

    assert member.post(SCRATCH, S1).json()["code"] == "SCRATCH_ORG_EXPIRED"


def test_a_refused_auth_url_is_told_and_a_new_one_heals(member, salesforce, scratch, record):
    member.post(SCRATCH, S1)
    scratch.revoke_all()

    refused = member.post(SCRATCH, S1)
    record.fields[FIELD] = scratch.auth_url()
    healed = member.post(SCRATCH, S1)

    assert (refused.status_code, refused.json()["code"]) == (409, "CREDENTIAL_EXPIRED")
    assert "DevHub" in refused.json()["action"]
    assert healed.status_code == 201, healed
    assert Credential.objects.filter(on_demand_grant__isnull=False).count() == 1


# --- Rotation ------------------------------------------------------------------------------------------


@pytest.fixture
def rotating(salesforce, hub):
    return a_scratch_org(salesforce, hub, app=salesforce.add_app("AcmeCI", "s3cret", rotates=True))


def test_a_rotated_token_is_written_back_to_the_record(owner, salesforce, hub, rotating):
    record = hub.scratch_record("s1@acme.example")
    before = record.fields[FIELD]

    answers = [owner.post(SCRATCH, S1) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201] * 3
    assert all("sfdxAuthUrl" not in answer.json() for answer in answers)
    assert record.fields[FIELD] != before
    assert salesforce.is_alive(record.fields[FIELD])
    grant = salesforce.family_of(record.fields[FIELD])
    assert record.fields[FIELD].endswith(f":{grant.newest}@{rotating.host}")
    assert AuditEvent.objects.filter(action="auth_url.written_to_dev_hub", outcome="granted").count() == 3


def test_a_dev_hub_that_may_not_be_written_to_costs_nothing(member, salesforce, hub, rotating):
    hub.scratch_info_is_read_only = True

    answers = [member.post(SCRATCH, S1) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201] * 3
    assert all(works(salesforce, answer.json()["accessToken"]) for answer in answers)
    assert AuditEvent.objects.filter(action="auth_url.written_to_dev_hub", outcome="failed").count() == 3


def test_tokens_that_went_out_to_the_record_are_known_for_good(member, salesforce, hub, rotating):
    for _ in range(25):
        assert member.post(SCRATCH, S1).status_code == 201

    assert KnownToken.objects.filter(credential__on_demand_grant__isnull=False, outside=True).count() == 26


def test_a_lost_answer_of_a_rotating_scratch_org_is_told(member, salesforce, rotating):
    member.post(SCRATCH, S1)
    salesforce.inject(Fault.reset(), host=rotating.host, path="/services/oauth2/token")

    lost, after = member.post(SCRATCH, S1), member.post(SCRATCH, S1)

    assert (lost.status_code, lost.json()["code"]) == (503, "UPSTREAM_LOST")
    assert (after.status_code, after.json()["code"]) == (409, "LOST_ANSWER")
