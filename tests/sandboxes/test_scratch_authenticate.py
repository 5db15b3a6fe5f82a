"""POST .../scratch/authenticate: a session of an unregistered scratch org, by its DevHub's record."""

import pytest

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from tests.orgs.factories import REGISTER, a_registered_org
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
def test_a_session_is_created_through_the_dev_hub(role, has_url, request, salesforce, hub, scratch, record):
    caller = request.getfixturevalue(role)

    response = caller.post(SCRATCH, S1)

    assert response.status_code == 201, response
    content = response.json()
    assert content["scratchOrgUsername"] == "s1@acme.example"
    assert content["orgId"] == scratch.org_id
    assert content["instanceUrl"] == scratch.instance_url
    assert content["devhubOrg"] == {"username": PROD, "instanceUrl": hub.instance_url, "orgId": hub.org_id}
    assert works(salesforce, content["accessToken"])
    assert content["frontDoorUrl"].startswith(f"{scratch.instance_url}/secur/frontdoor.jsp?otp=")
    assert content.get("sfdxAuthUrl") == (record.fields[FIELD] if has_url else None)


def test_the_username_matches_regardless_of_case(member, scratch):
    response = member.post(SCRATCH, S1 | {"scratchOrgUsername": " S1@ACME.example "})

    assert response.json()["scratchOrgUsername"] == "s1@acme.example"


def test_no_auth_url_is_released_if_the_release_is_disabled(owner, scratch, settings):
    settings.ALLOW_AUTH_URL_RELEASE = False

    assert "sfdxAuthUrl" not in owner.post(SCRATCH, S1).json()


def test_each_released_auth_url_is_audited(owner, member, scratch):
    member.post(SCRATCH, S1)
    before = AuditEvent.objects.filter(action="auth_url.handed_out").count()
    owner.post(SCRATCH, S1)

    assert (before, AuditEvent.objects.filter(action="auth_url.handed_out", outcome="granted").count()) == (0, 1)


def test_tokens_of_twelve_consecutive_jobs_all_stay_valid(application, salesforce, scratch):
    tokens = [application.post(SCRATCH, S1).json()["accessToken"] for _ in range(12)]

    assert all(works(salesforce, token) for token in tokens)
    assert Credential.objects.filter(on_demand_grant__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_dev_hub_all_are_searched(owner, member, salesforce):
    a_production_org(owner, salesforce, "other@acme.example")
    a_scratch_org(salesforce, a_production_org(owner, salesforce))

    response = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})

    assert response.json()["devhubOrg"]["username"] == PROD


@pytest.mark.django_db(transaction=True)
def test_a_dev_hub_without_access_does_not_fail_the_search(owner, member, salesforce):
    revoked = a_production_org(owner, salesforce, "dead@acme.example")
    a_scratch_org(salesforce, a_production_org(owner, salesforce))
    revoked.revoke_all()

    found = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})
    not_found = member.post(SCRATCH, {"scratchOrgUsername": "s9@acme.example"})

    assert found.status_code == 201, found
    assert not_found.refusal == (503, "SEARCH_INCOMPLETE")


@pytest.mark.django_db(transaction=True)
def test_a_dev_hub_without_the_field_does_not_make_the_search_incomplete(owner, member, salesforce, scratch):
    other = a_production_org(owner, salesforce, "other@acme.example")
    a_scratch_org(salesforce, other, "s2@acme.example")
    del other.scratch_record("s2@acme.example").fields[FIELD]

    usernames = ("s1@acme.example", "s2@acme.example", "s9@acme.example")
    found, *missing = (member.post(SCRATCH, {"scratchOrgUsername": username}) for username in usernames)

    assert found.status_code == 201, found
    assert [response.refusal for response in missing] == [(404, "SCRATCH_ORG_NOT_FOUND")] * 2
    assert f"other@acme.example (which has no field {FIELD})" in missing[0].json()["message"]


def test_an_unknown_scratch_org_is_not_found(member, hub):
    response = member.post(SCRATCH, {"scratchOrgUsername": "s9@acme.example"})

    assert response.refusal == (404, "SCRATCH_ORG_NOT_FOUND")


def test_the_dev_hub_must_be_registered_as_one(owner, member, salesforce, scratch):
    no_hub = a_registered_org(owner, salesforce, "plain@acme.example")

    unknown = member.post(SCRATCH, S1 | {"devhubUsername": "unknown@acme.example"})
    plain = member.post(SCRATCH, S1 | {"devhubUsername": no_hub.username})

    assert unknown.refusal == (404, "ORG_NOT_FOUND")
    assert plain.refusal == (404, "DEVHUB_NOT_FOUND")


def test_without_any_registered_dev_hub_the_error_says_that(member, salesforce):
    response = member.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example"})

    assert response.refusal == (404, "DEVHUB_NOT_FOUND")


@pytest.mark.parametrize("spelling", ["s1@acme.example", "S1@Acme.Example"])
def test_a_registered_scratch_org_is_refused_without_a_call(spelling, owner, member, salesforce, scratch):
    owner.post(REGISTER, {"sfdxAuthUrl": scratch.auth_url()})
    salesforce.reset_calls()

    response = member.post(SCRATCH, S1 | {"scratchOrgUsername": spelling})

    assert response.refusal == (400, "SCRATCH_ORG_REGISTERED")
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
def test_a_hostile_username_is_refused_before_any_call_to_salesforce(name, member, salesforce, hub):
    response = member.post(SCRATCH, {"scratchOrgUsername": name, "devhubUsername": PROD})

    assert response.status_code == 400, response
    assert not salesforce.calls


def test_a_scratch_org_registered_for_another_user_is_refused(owner, member, salesforce, scratch):
    other = scratch.add_user("other@acme.example")
    assert owner.post(REGISTER, {"sfdxAuthUrl": scratch.auth_url(user=other)}).status_code == 201

    response = member.post(SCRATCH, S1)

    assert response.refusal == (400, "SCRATCH_ORG_REGISTERED")
    assert "other@acme.example" in response.json()["message"]


def test_a_query_has_one_literal(member, salesforce, scratch):
    member.post(SCRATCH, S1)

    queries = [call for call in salesforce.calls if call.path.endswith("/query")]
    assert [call.literals for call in queries] == [1]
