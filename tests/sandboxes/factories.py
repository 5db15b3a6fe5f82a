"""Production orgs, DevHubs, sandboxes and scratch orgs for tests, in one line each."""

from typing import Any

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.models import Org
from tests.orgs.factories import an_org, register
from tests.support.api_client import Caller

SF = "/sfp/api/auth/salesforce"
BY_NAME = f"{SF}/register-sandbox-by-name"
SANDBOX = f"{SF}/sandbox/authenticate"
SCRATCH = f"{SF}/scratch/authenticate"
FRONTDOOR = f"{SF}/frontdoor"
POOLS = "/sfp/api/pools/instances"
FETCH = f"{POOLS}/fetch"
UNASSIGN = f"{POOLS}/unassign"
PROD = "ci@acme.example"
REPOSITORY = "acme/app"


def a_production_org(owner: Caller, salesforce: Emulator, username: str = PROD, **wish: Any) -> Org:
    """Add a production org that is a DevHub too, and register it."""
    org = an_org(salesforce, username, is_dev_hub=True)
    register(owner, org, isDevHub=True, **wish)
    salesforce.reset_calls()
    return org


def a_scratch_org(salesforce: Emulator, hub: Org, username: str = "s1@acme.example", **fields: Any) -> Org:
    """Add a scratch org to a DevHub."""
    host = f"{username.partition('@')[0]}-dev-ed.scratch.my.salesforce.com"
    return salesforce.add_scratch_org(hub, username=username, host=host, **fields)


def an_instance(owner: Caller, name: str = "dev1", **wish: Any) -> Any:
    """Add a sandbox to the pool `features` of REPOSITORY; returns the answer's body."""
    content = {"repository": REPOSITORY, "poolTag": "features", "name": name, "type": "SANDBOX", **wish}
    if "sfdxAuthUrl" not in wish:
        content.setdefault("parentUsername", PROD)
    answer = owner.post(POOLS, content)
    assert answer.status_code == 201, answer
    return answer.json()


def works(salesforce: Emulator, token: str) -> bool:
    """Tell whether an access token is good."""
    return token in salesforce.sessions and salesforce.sessions[token].alive
