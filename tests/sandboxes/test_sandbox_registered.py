"""POST .../sandbox/authenticate for a sandbox that is registered: refused, however it is spelled."""

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
def test_a_registered_sandbox_is_refused_before_anybody_is_asked(by_name, owner, member, salesforce, sandbox, each):
    if by_name:
        owner.post(BY_NAME, DEV1)
    else:
        owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    salesforce.reset_calls()
    for spelling, named in product(SPELLINGS, [True, False]):
        with each(f"{spelling} {named}"):
            body = {"sandboxName": spelling} | ({"productionUsername": PROD} if named else {})

            answer = member.post(SANDBOX, body)

            assert (answer.status_code, answer.json()["code"]) == (400, "SANDBOX_REGISTERED")
            assert "ci@acme.example.dev1" in answer.json()["message"]
            assert "access-token" in answer.json()["action"]
            assert not salesforce.calls


def test_a_sandbox_registered_under_another_name_is_refused_by_its_org_id(owner, member, salesforce, production):
    # An old auth URL names the instance, which tells no sandbox name.
    sandbox = salesforce.add_sandbox(production, "dev1", host="cs43.salesforce.com")
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    grants = len([grant for grant in salesforce.grants if grant.alive])

    answers = [member.post(SANDBOX, DEV1) for _ in range(2)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "SANDBOX_REGISTERED")] * 2
    assert len([grant for grant in salesforce.grants if grant.alive]) == grants  # the one made in vain was revoked
    assert not OnDemandGrant.objects.exists()


def test_a_namesake_under_another_production_org_is_not_in_the_way(owner, member, salesforce, sandbox):
    other = a_production_org(owner, salesforce, "other@acme.example")
    salesforce.add_sandbox(other, "dev1")
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    answer = member.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": "other@acme.example"})

    assert answer.status_code == 201, answer
    assert answer.json()["sandboxUsername"] == "other@acme.example.dev1"


def test_a_grant_becomes_refused_when_its_sandbox_is_registered(owner, member, salesforce, sandbox):
    member.post(SANDBOX, DEV1)
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    assert member.post(SANDBOX, DEV1).json()["code"] == "SANDBOX_REGISTERED"
