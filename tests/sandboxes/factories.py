"""Creates production orgs, DevHubs, scratch orgs and pool instances."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

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


def a_production_org(owner: Caller, salesforce: Emulator, username: str = PROD, **fields: Any) -> Org:
    """Add a production org that is also a DevHub, and register it."""
    org = an_org(salesforce, username, is_dev_hub=True)
    register(owner, org, isDevHub=True, **fields)
    salesforce.reset_calls()
    return org


def a_scratch_org(salesforce: Emulator, hub: Org, username: str = "s1@acme.example", **fields: Any) -> Org:
    """Add a scratch org to a DevHub."""
    host = f"{username.partition('@')[0]}-dev-ed.scratch.my.salesforce.com"
    return salesforce.add_scratch_org(hub, username=username, host=host, **fields)


def an_instance(owner: Caller, name: str = "dev1", **fields: Any) -> Any:
    """Add a sandbox to the pool `features` of REPOSITORY, and return the response body."""
    content = {"repository": REPOSITORY, "poolTag": "features", "name": name, "type": "SANDBOX", **fields}
    if "sfdxAuthUrl" not in fields:
        content.setdefault("parentUsername", PROD)
    response = owner.post(POOLS, content)
    assert response.status_code == 201, response
    return response.json()


def works(salesforce: Emulator, token: str) -> bool:
    """Return True if an access token is valid."""
    return token in salesforce.sessions and salesforce.sessions[token].alive


def opens(salesforce: Emulator, link: str, org: Org) -> bool:
    """Return True if a link leads to an org and was not used yet."""
    code = parse_qs(urlsplit(link).query)["otp"][0]
    return salesforce.visits[code].user.org is org and not salesforce.visits[code].entered
