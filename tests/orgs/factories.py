"""Creates orgs in the emulated Salesforce, registered or not."""

from typing import Any

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.models import App, Org
from tests.support.api_client import Caller

ORGS = "/sfp/api/auth/salesforce/orgs"
ORG = "/sfp/api/auth/salesforce/org"
REGISTER = "/sfp/api/auth/salesforce/register"
TEST_CONNECTION = "/sfp/api/auth/salesforce/test-connection"
ACCESS_TOKEN = "/sfp/api/auth/salesforce/access-token"
DEFAULT_DEVHUB = "/sfp/api/auth/salesforce/default-devhub"
DEFAULT_DEVHUB_TOKEN = "/sfp/api/auth/salesforce/default-devhub/access-token"


def an_org(salesforce: Emulator, username: str = "ci@acme.example", host: str = "", **fields: Any) -> Org:
    """Add a production org to the emulated Salesforce."""
    return salesforce.add_org(host or f"{username.partition('@')[0]}.my.salesforce.com", username=username, **fields)


def a_registered_org(
    owner: Caller, salesforce: Emulator, username: str = "ci@acme.example", *, app: App | None = None, **fields: Any
) -> Org:
    """Add an org and register it through the API."""
    org = an_org(salesforce, username, is_dev_hub=fields.get("isDevHub", False))
    register(owner, org, app, **fields)
    return org


def register(owner: Caller, org: Org, app: App | None = None, **fields: Any) -> Any:
    """Register an existing org, and return the response body."""
    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(app), **fields})
    assert response.status_code == 201, response
    return response.json()
