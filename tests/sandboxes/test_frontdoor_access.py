"""GET .../frontdoor: which orgs and pool instances each role may open."""

import pytest

from orgs.models import SalesforceOrg
from sandboxes.models import PoolInstance
from tests.orgs.factories import REGISTER, an_org
from tests.sandboxes.factories import (
    FRONTDOOR,
    POOLS,
    PROD,
    REPOSITORY,
    an_instance,
    opens,
)

pytestmark = pytest.mark.django_db
POOL = {"repository": REPOSITORY, "poolTag": "features"}
NOT_ALLOWED = (403, "FRONTDOOR_NOT_ALLOWED")


@pytest.mark.parametrize("redirect", ["true", "false"])
def test_members_may_not_view_production_orgs_and_dev_hubs(redirect, member, salesforce, production):
    response = member.get(FRONTDOOR, target=PROD, redirect=redirect)

    assert response.refusal == NOT_ALLOWED
    assert not salesforce.calls


def test_members_may_not_view_a_sandbox_that_is_a_dev_hub(owner, member, salesforce):
    org = an_org(salesforce, "hub@acme.example", kind="sandbox", is_dev_hub=True)
    owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDevHub": True})

    assert member.get(FRONTDOOR, target="hub@acme.example").refusal == NOT_ALLOWED


def test_members_may_view_an_org_if_an_owner_allows_it(member, salesforce, production):
    SalesforceOrg.objects.filter(username=PROD).update(member_frontdoor=True)

    link = member.get(FRONTDOOR, target=PROD, redirect="false").json()["frontDoorUrl"]

    assert opens(salesforce, link, production)


@pytest.mark.parametrize("role", ["application", "owner"])
def test_owners_and_applications_may_view_production_orgs(role, request, salesforce, production):
    link = request.getfixturevalue(role).get(FRONTDOOR, target=PROD, redirect="false").json()["frontDoorUrl"]

    assert opens(salesforce, link, production)


@pytest.mark.parametrize("role", ["member", "application", "owner"])
@pytest.mark.parametrize(
    ("status", "for_member", "for_others"),
    [
        ("ASSIGNED", 200, 200),
        ("AVAILABLE", (403, "POOL_NOT_ASSIGNED"), 200),
        ("PROVISIONING", (503, "POOL_INSTANCE_PROVISIONING"), (503, "POOL_INSTANCE_PROVISIONING")),
        ("EXPIRED", (410, "POOL_INSTANCE_EXPIRED"), (410, "POOL_INSTANCE_EXPIRED")),
    ],
)
def test_access_to_an_instance_depends_on_role_and_status(
    role, status, for_member, for_others, request, owner, sandbox
):
    an_instance(owner)
    PoolInstance.objects.update(status=status, assignment_id="pr-1")
    expected = for_member if role == "member" else for_others

    response = request.getfixturevalue(role).get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")

    assert (response.status_code if expected == 200 else response.refusal) == expected
    if response.status_code == 503:
        assert response.headers["Retry-After"] == "60"


def test_a_pool_does_not_bypass_the_access_rules(member, owner, salesforce, production):
    PoolInstance.objects.create(
        repository=REPOSITORY,
        pool_tag="x",
        name="sneaky",
        type="SCRATCH_ORG",
        status="ASSIGNED",
        assignment_id="pr-1",
        username=PROD,
    )

    assert member.get(FRONTDOOR, target="sneaky", repository=REPOSITORY).refusal == NOT_ALLOWED


def test_a_pool_instance_with_its_own_credential_does_not_bypass_the_access_rules(member, owner, salesforce, sandbox):
    owner.post(POOLS, {**POOL, "name": "dev1", "type": "SANDBOX", "sfdxAuthUrl": sandbox.auth_url()})
    PoolInstance.objects.update(status="ASSIGNED", assignment_id="pr-1", name="other")
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    SalesforceOrg.objects.filter(username="ci@acme.example.dev1").update(is_dev_hub=True)

    assert member.get(FRONTDOOR, target="other", repository=REPOSITORY).refusal == NOT_ALLOWED
