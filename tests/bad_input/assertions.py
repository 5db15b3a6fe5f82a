"""What every refusal of bad input has, and what none may leave behind."""

from orgs.credentials.models import Credential, KnownToken
from orgs.models import OrgMetadata, SalesforceOrg
from tests.support.api_client import Answer

GOOD_AUTH_URL = "force://PlatformCLI::5Aep861abc@acme.my.salesforce.com"


def rows() -> int:
    """Return how many rows a registration has left in all tables."""
    return sum(model._default_manager.count() for model in (SalesforceOrg, Credential, KnownToken, OrgMetadata))


def is_clear(answer: Answer, status: int = 400) -> None:
    """Check that an answer is an error with a text and something to do."""
    assert answer.status_code == status, answer
    body = answer.json()
    assert set(body) >= {"statusCode", "error", "code", "message", "action", "requestId"}
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["action"]
