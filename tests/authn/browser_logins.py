"""Browser sessions that were started at the log-in page or with tokens."""

from tests.conftest import PASSWORD
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of

EMAIL = "olga@acme.example"
LOGIN, REFRESH, CALLBACK = "/sfp/api/auth/admin/login", "/sfp/api/auth/refresh", "/sfp/api/auth/callback"
ORGS = "/sfp/api/auth/salesforce/orgs"
PAGE = "/console/"


def at_the_page() -> Visitor:
    visitor = Visitor()
    assert visitor.post("/login", {"email": EMAIL, "password": PASSWORD}).status_code == 302
    return visitor


def a_pair() -> dict[str, str]:
    response = Caller().post(LOGIN, {"email": EMAIL, "password": PASSWORD})
    assert response.status_code == 200, response
    return response.json()


def by_tokens(**tokens: str) -> Visitor:
    """Turn tokens into a session, as a third-party log-in page does."""
    visitor = Visitor()
    response = visitor.client.post(CALLBACK, tokens, content_type="application/json")
    assert response.status_code == 200, text_of(response)
    return visitor


def by_pair(pair: dict[str, str]) -> Visitor:
    return by_tokens(access_token=pair["access_token"], refresh_token=pair["refresh_token"])


def is_in(visitor: Visitor) -> bool:
    """Return True if the console opens, False if it redirects to the log-in page."""
    return {200: True, 302: False}[visitor.get(PAGE).status_code]
