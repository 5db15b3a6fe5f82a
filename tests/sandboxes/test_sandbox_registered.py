"""POST .../sandbox/authenticate for a registered sandbox is refused, however its name is spelled."""

from itertools import product

import pytest

from sandboxes.models import OnDemandGrant
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import BY_NAME, PROD, SANDBOX, a_production_org

pytestmark = pytest.mark.django_db
DEV1 = {"sandboxName": "dev1", "productionUsername": PROD}
SANDBOX_AUTH = "/services/data/v67.0/tooling/sandboxAuth"


SPELLINGS = ["dev1", "DEV1", " dev1 ", "ci@acme.example.dev1", "CI@acme.example.DEV1"]


@pytest.mark.parametrize("by_name", [True, False], ids=["registered by name", "by auth URL"])
def test_a_registered_sandbox_is_refused_without_a_call(by_name, owner, member, salesforce, sandbox, each):
    if by_name:
        owner.post(BY_NAME, DEV1)
    else:
        owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    salesforce.reset_calls()
    for spelling, named in product(SPELLINGS, [True, False]):
        with each(f"{spelling} {named}"):
            body = {"sandboxName": spelling} | ({"productionUsername": PROD} if named else {})

            response = member.post(SANDBOX, body)

            assert response.refusal == (400, "SANDBOX_REGISTERED")
            assert "ci@acme.example.dev1" in response.json()["message"]
            assert "access-token" in response.json()["action"]
            assert not salesforce.calls


def test_a_sandbox_registered_under_another_name_is_refused_by_its_org_id(owner, member, salesforce, production):
    # An old auth URL has the instance as its host, which does not contain the sandbox name.
    sandbox = salesforce.add_sandbox(production, "dev1", host="cs43.salesforce.com")
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    grants = len([grant for grant in salesforce.grants if grant.alive])

    responses = [member.post(SANDBOX, DEV1) for _ in range(2)]

    assert [response.refusal for response in responses] == [(400, "SANDBOX_REGISTERED")] * 2
    assert len([grant for grant in salesforce.grants if grant.alive]) == grants  # the unused one was revoked
    assert not OnDemandGrant.objects.exists()


def test_a_sandbox_with_the_same_name_in_another_production_org_is_not_refused(owner, member, salesforce, sandbox):
    other = a_production_org(owner, salesforce, "other@acme.example")
    salesforce.add_sandbox(other, "dev1")
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    response = member.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": "other@acme.example"})

    assert response.status_code == 201, response
    assert response.json()["sandboxUsername"] == "other@acme.example.dev1"


def test_on_demand_access_is_refused_after_the_sandbox_is_registered(owner, member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    assert member.post(SANDBOX, DEV1).json()["code"] == "SANDBOX_REGISTERED"
