"""The routes that call Salesforce, as data, and how each of them reports a fault."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from orgs.salesforce.emulator import Emulator
from tests.orgs.credentials.faults.fault_table import CANARY, FaultCase
from tests.orgs.factories import ACCESS_TOKEN, DEFAULT_DEVHUB, DEFAULT_DEVHUB_TOKEN, ORG, REGISTER, TEST_CONNECTION
from tests.sandboxes.factories import FRONTDOOR
from tests.support.api_client import ApiResponse, Caller

HUB = {"username": "hub@acme.example"}
NEW = {"username": "new@acme.example"}
Expected = tuple[int, str, str | None]


@dataclass(frozen=True)
class Route:
    """One route: its request, the result that it must return for a fault, and the number of its REST calls."""

    id: str
    method: str
    path: str
    query: dict[str, str]
    expected: Callable[[FaultCase], Expected]
    code_at: tuple[str, ...] = ("code",)
    auth_url_of: str = ""
    rest_calls: int = 0

    def send(self, caller: Caller, urls: dict[str, str]) -> ApiResponse:
        """Send the request."""
        body = {"sfdxAuthUrl": urls[self.auth_url_of]} if self.auth_url_of else None
        return caller.send(self.method, self.path, body, query=self.query)

    def read(self, response: ApiResponse) -> Expected:
        """Return status, code and Retry-After of a response."""
        found: Any = response.json()
        for step in self.code_at:
            found = found[step]
        return response.status_code, found, response.headers.get("Retry-After")


def _as_error(case: FaultCase) -> Expected:
    return case.status, case.code, case.retry_after


def _as_input(case: FaultCase) -> Expected:
    """Registration returns 400 for a permanent refusal, for another org, and for a user without permission."""
    is_input = case.is_permanent or case.code in ("ORG_ID_MISMATCH", "UPSTREAM_REFUSED")
    return (400, case.code, None) if is_input else _as_error(case)


def _as_success(case: FaultCase) -> Expected:
    return 200, case.code, None


IN_BODY = ("authError", "code")
BY_NAME = {"authType": "accessToken"}
NEW_ORG = Route("register-new", "POST", REGISTER, {}, _as_input, auth_url_of="new", rest_calls=3)
KNOWN_ORG = Route("register-again", "POST", REGISTER, {}, _as_input, auth_url_of="hub", rest_calls=2)
TEST = Route("test-connection", "POST", TEST_CONNECTION, HUB, _as_success, rest_calls=1)
TOKEN = Route("access-token", "POST", ACCESS_TOKEN, HUB, _as_error)
FRONTDOOR_LINK = Route("frontdoor", "GET", FRONTDOOR, {"target": HUB["username"], "redirect": "false"}, _as_error)
ISSUING = (
    TOKEN,
    Route("default-devhub-token", "POST", DEFAULT_DEVHUB_TOKEN, {}, _as_error),
    Route("org-by-name", "GET", ORG, HUB | BY_NAME, _as_error),
    Route("default-devhub-by-name", "GET", DEFAULT_DEVHUB, BY_NAME, _as_error),
    Route("org", "GET", ORG, HUB, _as_success, IN_BODY),
    Route("default-devhub", "GET", DEFAULT_DEVHUB, {}, _as_success, IN_BODY),
)
AUTH_URL = Route("org-auth-url", "GET", ORG, HUB | {"authType": "sfdxAuthUrl"}, _as_error)
REVOKE = Route("delete-revoke", "DELETE", ORG, HUB | {"revoke": "true"}, _as_error)
FORCING = (KNOWN_ORG, TEST)
OF_KNOWN_ORG = (*FORCING, *ISSUING, FRONTDOOR_LINK)
CALLING_API = (NEW_ORG, *FORCING)


def cells(cases: Sequence[FaultCase], routes: Sequence[Route]) -> list[tuple[FaultCase, Route]]:
    """Return each case with each route. On PostgreSQL: each case with the first route, the first case with each route.

    The meaning of a fault is decided in Python, and the SQL is the same for all of them.
    """
    if connection.vendor == "sqlite":
        return [(case, route) for case in cases for route in routes]
    return [(case, routes[0]) for case in cases] + [(cases[0], route) for route in routes[1:]]


def health_of(member: Caller) -> tuple[str, str | None]:
    """Return state and reason of the hub's credential, as a member sees them."""
    health = member.get(ORG, **HUB).json()["health"]
    return health["state"], health.get("reason")


def calls(salesforce: Emulator) -> tuple[int, int]:
    """Return how many refreshes were sent, and how many other requests."""
    return salesforce.refreshes(), len(salesforce.calls) - salesforce.refreshes()


def shows_no_secret(response: ApiResponse, salesforce: Emulator) -> bool:
    """Return True if neither body nor headers contain a secret of the emulator, or a text of a fault."""
    shown = response.text + "".join(f"{name}: {value}\n" for name, value in response.headers.items())
    secrets = {CANARY, "5Aep861", *salesforce.sessions, *(app.secret for app in salesforce.apps.values())}
    for grant in salesforce.grants:
        secrets |= {grant.newest, *grant.spent}
    return not any(secret in shown for secret in secrets if secret)
