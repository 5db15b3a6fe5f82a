"""The fault table as data: each fault of Salesforce or of the network, and the error that the desk must return."""

from dataclasses import dataclass
from typing import Any

import requests

from orgs.salesforce.emulator import Fault, error_texts
from orgs.salesforce.emulator.wire import Response, json_response
from orgs.salesforce.errors import AddressRefused

CANARY = "canary-5Aep861"
TOKEN_PATH = "/services/oauth2/token"
REVOKE_PATH = "/services/oauth2/revoke"
REST_PATH = "/services/data/v"
SINGLEACCESS_PATH = "/services/oauth2/singleaccess"
USERINFO_PATH = "/services/oauth2/userinfo"
_EDGE_PAGE = b"<html><body><h1>Gateway case</h1></body></html>"


@dataclass(frozen=True)
class FaultCase:
    """One row. `state` is the credential's health after the fault, None if it does not change; its reason is `code`."""

    id: str
    fault: Fault
    status: int
    code: str
    retry_after: str | None = None
    state: str | None = "failing"
    calls: int = 1

    @property
    def is_permanent(self) -> bool:
        """Return True if an owner must act. Registration reports such a failure as invalid input."""
        return self.status in (409, 410)


def expected_health(case: FaultCase) -> tuple[str, str | None]:
    """Return the state and reason of a credential that was healthy before a fault."""
    return (case.state, case.code) if case.state else ("healthy", None)


# --- Faults without a name in the emulator --------------------------------------------------------


def _oauth(words: tuple[str, str]) -> Fault:
    return Fault.oauth(words[0], f"{words[1]} {CANARY}")


def _page(status: int, page: bytes, **headers: str) -> Fault:
    body = page + f"<!-- {CANARY} -->".encode()
    return Fault(f"page {status}", False, lambda _: Response(status, body, "text/html", headers))


def _limited(**headers: str) -> Fault:
    content = {"error": "rate_limit_exceeded", "error_description": CANARY}
    return Fault("429", False, lambda _: json_response(429, content, **headers))


def _never_connected(error: type[requests.RequestException | AddressRefused]) -> Fault:
    def fail(_: Response) -> Response:
        raise error(CANARY)

    return Fault(error.__name__, False, fail)


def _edge(status: int, *, processed: bool = False) -> Fault:
    """Return the fault of a proxy that gives up; with `processed`, after Salesforce has acted."""
    return Fault(f"edge {status}", processed, _page(status, _EDGE_PAGE).change)


def _held_back(page: bytes) -> Fault:
    """Return the fault of a proxy that inspects TLS and replaces Salesforce's response by a page."""
    return Fault("page 200", True, _page(200, page).change)


def _drip() -> Fault:
    return Fault.slow_drip(60)


# --- At the token endpoint ---------------------------------------------------------------------------


def _permanent(name: str, words: tuple[str, str], code: str) -> FaultCase:
    return FaultCase(name, _oauth(words), 410 if code == "ORG_GONE" else 409, code, state="expired")


PERMANENT = (
    _permanent("expired", error_texts.EXPIRED, "CREDENTIAL_EXPIRED"),
    _permanent("wrong-client-id", error_texts.WRONG_CLIENT_ID, "APP_REJECTED"),
    _permanent("wrong-secret", error_texts.WRONG_SECRET, "APP_REJECTED"),
    _permanent("wrong-grant-type", error_texts.WRONG_GRANT_TYPE, "APP_REJECTED"),
    _permanent("app-not-installed", error_texts.APP_NOT_INSTALLED, "APP_NOT_INSTALLED"),
    _permanent("external-app-not-installed", error_texts.EXTERNAL_APP_NOT_INSTALLED, "APP_NOT_INSTALLED"),
    _permanent("app-not-found", error_texts.APP_NOT_FOUND, "APP_NOT_INSTALLED"),
    _permanent("app-blocked", error_texts.APP_BLOCKED, "APP_BLOCKED"),
    _permanent("api-access-denied", error_texts.API_ACCESS_DENIED, "API_ACCESS_DENIED"),
    _permanent("user-not-approved", error_texts.NOT_APPROVED, "USER_NOT_APPROVED"),
    _permanent("user-inactive", error_texts.INACTIVE_USER, "USER_INACTIVE"),
    _permanent("authentication-failure", ("invalid_grant", "authentication failure"), "USER_INACTIVE"),
    _permanent("ip-restricted", error_texts.IP_RESTRICTED, "IP_NOT_ALLOWED"),
    _permanent("org-inactive", error_texts.INACTIVE_ORG, "ORG_GONE"),
    FaultCase("data-not-available", _page(200, error_texts.DATA_NOT_AVAILABLE_PAGE), 410, "ORG_GONE", state="expired"),
)
PAGES = (
    FaultCase("maintenance-503", _page(503, error_texts.MAINTENANCE_PAGE), 503, "UPSTREAM_MAINTENANCE", "60"),
    FaultCase("maintenance-200", _page(200, error_texts.MAINTENANCE_PAGE), 503, "UPSTREAM_MAINTENANCE", "60"),
    FaultCase(
        "maintenance-says-when",
        _page(503, error_texts.MAINTENANCE_PAGE, **{"Retry-After": "120"}),
        503,
        "UPSTREAM_MAINTENANCE",
        "120",
    ),
    FaultCase("interstitial", _page(200, error_texts.INTERSTITIAL_PAGE), 503, "ORG_NOT_READY", "60"),
    FaultCase("error-500", Fault.status(500, CANARY.encode()), 503, "UPSTREAM_ERROR", "30"),
    FaultCase("error-500-html", _page(500, _EDGE_PAGE), 503, "UPSTREAM_ERROR", "30"),
)
# The lost response may have held the next refresh token.
LOST = (
    FaultCase("edge-502", _edge(502), 503, "UPSTREAM_LOST", "30", "uncertain"),
    FaultCase("edge-504", _edge(504), 504, "UPSTREAM_TIMEOUT", None, "uncertain"),
    FaultCase("reset", Fault.reset(), 503, "UPSTREAM_LOST", "30", "uncertain"),
    FaultCase("truncated", Fault.truncated(), 503, "UPSTREAM_LOST", "30", "uncertain"),
    FaultCase("hang", Fault.hang(60), 504, "UPSTREAM_TIMEOUT", None, "uncertain"),
    FaultCase("slow-drip", _drip(), 504, "UPSTREAM_TIMEOUT", None, "uncertain"),
    FaultCase("slow-drip-headers", Fault.slow_drip(60, headers=True), 504, "UPSTREAM_TIMEOUT", None, "uncertain"),
)
# The faults of LOST, after Salesforce has acted.
LOST_AND_PROCESSED = (
    FaultCase("edge-502", _edge(502, processed=True), 503, "UPSTREAM_LOST", "30", "uncertain"),
    FaultCase("edge-504", _edge(504, processed=True), 504, "UPSTREAM_TIMEOUT", None, "uncertain"),
    *LOST[2:],
)
NEVER_SENT = (
    FaultCase("no-name", Fault.no_name(), 503, "UPSTREAM_UNREACHABLE", "30", None),
    FaultCase("refused", Fault.connection_refused(), 503, "UPSTREAM_UNREACHABLE", "30", None),
    FaultCase("no-route", Fault.no_route(), 503, "UPSTREAM_UNREACHABLE", "30", None),
    FaultCase("proxy-407", Fault.proxy_refused(407), 503, "UPSTREAM_UNREACHABLE", "30", None),
    FaultCase("proxy-503", Fault.proxy_refused(503), 503, "UPSTREAM_UNREACHABLE", "30", None),
    FaultCase("untrusted", Fault.untrusted_certificate(), 502, "TLS_FAILED"),
    FaultCase("no-tls", _never_connected(requests.exceptions.SSLError), 502, "TLS_FAILED", calls=0),
    FaultCase("no-public-address", _never_connected(AddressRefused), 502, "UPSTREAM_ADDRESS_REFUSED", calls=0),
    FaultCase("no-connection", _never_connected(requests.ConnectionError), 503, "UPSTREAM_UNREACHABLE", "30", None, 0),
    FaultCase("slow-to-connect", _never_connected(requests.ConnectTimeout), 504, "UPSTREAM_TIMEOUT", calls=0),
)
REDIRECT = FaultCase("redirect", Fault.redirect(f"https://evil.example/{CANARY}"), 502, "UPSTREAM_REDIRECT")
# The response holds the next refresh token, and another field is invalid.
WRONG_FIELDS = (
    FaultCase("no-access-token", Fault.fields(access_token=None), 502, "UPSTREAM_UNREADABLE"),
    FaultCase("no-id", Fault.fields(id=None), 502, "UPSTREAM_UNREADABLE"),
    FaultCase(
        "foreign-instance-url", Fault.fields(instance_url=f"https://{CANARY}.example"), 502, "UPSTREAM_UNTRUSTED_URL"
    ),
    FaultCase("private-instance-url", Fault.fields(instance_url="http://10.0.0.5"), 502, "UPSTREAM_UNTRUSTED_URL"),
    FaultCase("foreign-id", Fault.fields(id=f"https://{CANARY}.example/id/00D/005"), 502, "UPSTREAM_UNTRUSTED_URL"),
    FaultCase("wrong-content-type", Fault.content_type("text/plain"), 502, "UPSTREAM_UNREADABLE"),
)
UNREADABLE = (
    FaultCase("oversized", Fault.oversized(), 502, "UPSTREAM_UNREADABLE"),
    FaultCase("proxy-page-200", _held_back(error_texts.PROXY_PAGE), 502, "UPSTREAM_UNREADABLE"),
    FaultCase("not-json", Fault.body(CANARY.encode()), 502, "UPSTREAM_UNREADABLE"),
    FaultCase("json-list", Fault.body(f'["{CANARY}"]'.encode()), 502, "UPSTREAM_UNREADABLE"),
    FaultCase("deep-json", Fault.body(b"[" * 50_000), 502, "UPSTREAM_UNREADABLE"),
)
LIMITED = (
    FaultCase("login-rate", _oauth(error_texts.LOGIN_RATE), 429, "UPSTREAM_LOGIN_LIMIT", "3600"),
    FaultCase("login-rate-says-when", _limited(**{"Retry-After": "17"}), 429, "UPSTREAM_LOGIN_LIMIT", "17"),
    FaultCase("unknown-error", _oauth(("unknown_error", "retry your request")), 503, "UPSTREAM_ERROR", "30"),
    FaultCase("server-error", _oauth(error_texts.SERVER_ERROR), 503, "UPSTREAM_ERROR", "30"),
    FaultCase("unavailable", _oauth(error_texts.TEMPORARILY_UNAVAILABLE), 503, "UPSTREAM_ERROR", "30"),
)
# Nothing follows from an error or text that is not known; the next request tries again.
UNKNOWN = (
    FaultCase("invalid-request", _oauth(error_texts.INVALID_REQUEST), 502, "UPSTREAM_UNKNOWN_ERROR"),
    FaultCase("unknown-code", _oauth(("a_new_error", "a new text")), 502, "UPSTREAM_UNKNOWN_ERROR"),
    FaultCase("unknown-text", _oauth(("invalid_grant", "a new text")), 502, "UPSTREAM_UNKNOWN_ERROR"),
    FaultCase("text-of-another-grant", _oauth(error_texts.WRONG_CODE), 502, "UPSTREAM_UNKNOWN_ERROR"),
    FaultCase("proxy-page-403", _page(403, error_texts.PROXY_PAGE), 502, "UPSTREAM_UNREADABLE"),
)
AT_TOKEN = (*PERMANENT, *PAGES, *LOST, *NEVER_SENT, REDIRECT, *WRONG_FIELDS, *UNREADABLE, *LIMITED, *UNKNOWN)

BUSY = Fault.oauth(error_texts.ALREADY_PROCESSING[0], f"{error_texts.ALREADY_PROCESSING[1]} {CANARY}")

# --- At the revoke endpoint: OAuth errors say that the token is not valid, which is a success -------------

AT_REVOKE = (*PAGES, *LOST[:2], *NEVER_SENT, REDIRECT, *LIMITED)


# --- At the REST API ---------------------------------------------------------------------------------


def _rest(status: int, error_code: str) -> Fault:
    return Fault.rest(status, error_code, CANARY)


def _unfit() -> Fault:
    """Return the refusal of a session whose app API Access Control does not admit."""
    return Fault.rest(401, error_texts.UNFIT_SESSION[0], f"{error_texts.UNFIT_SESSION[1]} {CANARY}")


AT_REST = (
    FaultCase("api-limit", _rest(403, "REQUEST_LIMIT_EXCEEDED"), 503, "ORG_API_LIMIT", "900"),
    FaultCase("api-disabled", _rest(403, "API_DISABLED_FOR_ORG"), 502, "UPSTREAM_REFUSED", None, None),
    FaultCase("api-access-denied", _unfit(), 409, "API_ACCESS_DENIED", state="expired"),
    FaultCase("proxy-page-403", _page(403, error_texts.PROXY_PAGE), 502, "UPSTREAM_UNREADABLE"),
    FaultCase("server-unavailable", _rest(503, "SERVER_UNAVAILABLE"), 503, "UPSTREAM_MAINTENANCE", "60"),
    FaultCase("user-inactive", _rest(403, "INACTIVE_ORG_OR_USER"), 409, "USER_INACTIVE", state="expired"),
    FaultCase("edge-502", _edge(502), 503, "UPSTREAM_LOST", "30"),
    FaultCase("edge-504", _edge(504), 504, "UPSTREAM_TIMEOUT"),
    FaultCase("reset", Fault.reset(), 503, "UPSTREAM_LOST", "30"),
    FaultCase("truncated", Fault.truncated(), 503, "UPSTREAM_LOST", "30"),
    FaultCase("hang", Fault.hang(60), 504, "UPSTREAM_TIMEOUT"),
    FaultCase("slow-drip", _drip(), 504, "UPSTREAM_TIMEOUT"),
    PERMANENT[-1],
    *PAGES,
    *NEVER_SENT,
    REDIRECT,
    *UNREADABLE,
)
DEAD_SESSION = _rest(401, "INVALID_SESSION_ID")
DEAD_SESSION_TEXT = Fault.status(403, error_texts.BAD_OAUTH_TOKEN)
DEAD_SESSION_PAGE = Fault.status(403, error_texts.BAD_OAUTH_TOKEN_PAGE, "text/html; charset=utf-8")


def ids(row: Any) -> str:
    """Return the id of a row, for pytest."""
    return str(row.id)
