"""Browsers at which a person logged in, at the page or by tokens, and whether they are let in."""

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
    answer = Caller().post(LOGIN, {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 200, answer
    return answer.json()


def by_tokens(**tokens: str) -> Visitor:
    """Turn tokens into a session, as a log-in page of somebody else's making does."""
    visitor = Visitor()
    answer = visitor.client.post(CALLBACK, tokens, content_type="application/json")
    assert answer.status_code == 200, text_of(answer)
    return visitor


def by_pair(pair: dict[str, str]) -> Visitor:
    return by_tokens(access_token=pair["access_token"], refresh_token=pair["refresh_token"])


def is_in(visitor: Visitor) -> bool:
    """Return True if the console opens, False if it leads to the log-in page."""
    return {200: True, 302: False}[visitor.get(PAGE).status_code]
