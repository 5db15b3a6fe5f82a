"""Assertions for refused requests."""

from orgs.credentials.models import Credential, KnownToken
from orgs.models import OrgMetadata, SalesforceOrg
from tests.support.api_client import ApiResponse

GOOD_AUTH_URL = "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com"


def rows() -> int:
    """Return the number of rows in each table that a registration writes."""
    return sum(model._default_manager.count() for model in (SalesforceOrg, Credential, KnownToken, OrgMetadata))


def is_clear(response: ApiResponse, status: int = 400) -> None:
    """Assert that a response is an error with a message and an action."""
    assert response.status_code == status, response
    body = response.json()
    assert set(body) >= {"statusCode", "error", "code", "message", "action", "requestId"}
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["action"]
