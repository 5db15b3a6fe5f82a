"""Names that could alter a query, path or header are refused on every endpoint before any call to Salesforce."""

import pytest

from sandboxes.models import OnDemandGrant, PoolInstance
from tests.sandboxes.factories import BY_NAME, FRONTDOOR, POOLS, PROD, REPOSITORY, SANDBOX, SCRATCH

pytestmark = pytest.mark.django_db
NAMES = [
    "x' OR Status='Active",
    "x' OR SandboxName LIKE '%",
    "x' OR Status='Active' LIMIT 1 --@a.b",
    "dev\\1",
    "a\\'b@c.d",
    "d" * 300,
    "dev1\r\nHost: evil.example",
    "Œ@a.b",
]
OF_A_PRODUCTION_ORG = f"{FRONTDOOR} of a production org"
ROUTES = {
    BY_NAME: lambda owner, name: owner.post(BY_NAME, {"sandboxName": name, "productionUsername": PROD}),
    SANDBOX: lambda owner, name: owner.post(SANDBOX, {"sandboxName": name}),
    SCRATCH: lambda owner, name: owner.post(SCRATCH, {"scratchOrgUsername": name}),
    FRONTDOOR: lambda owner, name: owner.get(FRONTDOOR, target=name),
    f"{FRONTDOOR} in a pool": lambda owner, name: owner.get(FRONTDOOR, target=name, repository=REPOSITORY),
    OF_A_PRODUCTION_ORG: lambda owner, name: owner.get(FRONTDOOR, target="dev1", prodOrg=name),
    POOLS: lambda owner, name: owner.post(
        POOLS,
        {"repository": REPOSITORY, "poolTag": "features", "name": name, "type": "SANDBOX", "parentUsername": PROD},
    ),
}


@pytest.mark.parametrize("route", ROUTES)
def test_a_hostile_name_is_refused_before_any_call_to_salesforce(route, owner, salesforce, production, each):
    for name in NAMES:
        with each(name):
            response = ROUTES[route](owner, name)

            # The production org is searched in the database only, where any other valid username is unknown.
            assert response.status_code == (404 if (route, name) == (OF_A_PRODUCTION_ORG, "Œ@a.b") else 400), response
            assert not salesforce.calls
            assert not OnDemandGrant.objects.exists()
            assert not PoolInstance.objects.exists()
