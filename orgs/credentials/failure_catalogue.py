"""Catalogue of refresh failures, one per error code, shared by every endpoint.

failures.py finds the entry for an error of Salesforce, and for a code that a credential's row stores.
"""

from dataclasses import dataclass
from datetime import timedelta

from orgs.credentials import errors
from orgs.credentials.models import Health

_LOG_IN_AGAIN = (
    "An owner must register this org again: `sf org login web`, then "
    "`sf org auth show-sfdx-auth-url -o <alias> --json`, then POST /sfp/api/auth/salesforce/register."
)
_LOG_IN_AGAIN_ON_PAGE = (
    "An owner must register this org again in the console: run `sf org login web`, then paste the output of "
    "`sf org auth show-sfdx-auth-url -o <alias> --json`."
)
_TRY_LATER = "Try again later."


@dataclass(frozen=True, slots=True)
class Failure:
    """One documented way for a refresh to fail.

    `raises` decides the HTTP status, `health` is the state that the credential gets (None: it keeps its
    own), `retry_after` is in seconds. `trips_breaker` counts the failure towards the circuit breaker.
    `page_action` replaces `action` on HTML pages. `needs_auth_url`: only a new auth URL repairs the credential.
    `may_pass_within`: although permanent, it may pass by itself, so Salesforce is called again after this time.
    """

    code: str
    raises: type[errors.SessionError]
    message: str
    action: str
    health: Health | None = None
    retry_after: int | None = None
    trips_breaker: bool = True
    page_action: str = ""
    needs_auth_url: bool = False
    may_pass_within: timedelta | None = None

    @property
    def permanent(self) -> bool:
        """Return True if every further refresh of the same credential would fail the same way."""
        return issubclass(self.raises, errors.CredentialRefused)

    @property
    def is_client_error(self) -> bool:
        """Return True if registration reports this failure as invalid input (400)."""
        return self.permanent or self.code in ("ORG_ID_MISMATCH", "UPSTREAM_REFUSED")

    def error(self, retry_after: int | None = None, *, message: str = "", detail: str = "") -> errors.SessionError:
        """Return the error to raise. `retry_after`, in seconds from Salesforce, replaces the default.

        `detail` follows the message: what is known of this one failure, without a secret.
        """
        return self.raises(
            self.code,
            message or self.message,
            self.action,
            retry_after or self.retry_after,
            page_action=self.page_action,
            detail=detail,
        )


def _refused(code: str, message: str, action: str, *, may_pass_within: timedelta | None = None) -> Failure:
    return Failure(code, errors.CredentialRefused, message, action, Health.EXPIRED, may_pass_within=may_pass_within)


def _needs_auth_url(
    code: str,
    message: str,
    hint: str = "",
    *,
    raises: type[errors.SessionError] = errors.CredentialRefused,
    health: Health = Health.EXPIRED,
) -> Failure:
    action, page_action = _LOG_IN_AGAIN + hint, _LOG_IN_AGAIN_ON_PAGE + hint
    return Failure(code, raises, message, action, health, page_action=page_action, needs_auth_url=True)


def _no_grant(
    code: str,
    message: str,
    action: str,
    *,
    raises: type[errors.GrantRefused] = errors.GrantRefused,
    page_action: str = "",
) -> Failure:
    return Failure(code, raises, message, action, Health.EXPIRED, trips_breaker=False, page_action=page_action)


def _rejected(code: str, message: str, action: str) -> Failure:
    return Failure(code, errors.SalesforceRefused, message, action, Health.FAILING)


def _unavailable(
    code: str,
    message: str,
    retry_after: int,
    action: str = _TRY_LATER,
    health: Health | None = Health.FAILING,
    *,
    trips_breaker: bool = True,
) -> Failure:
    return Failure(code, errors.SalesforceUnavailable, message, action, health, retry_after, trips_breaker)


FAILURES = (
    _needs_auth_url("CREDENTIAL_EXPIRED", "Salesforce no longer accepts the refresh token of this org."),
    _needs_auth_url(
        "LOST_ANSWER", "The response with the next refresh token of this org was lost, and the old token is spent."
    ),
    _refused(
        "APP_REJECTED",
        "Salesforce rejects the client id or secret of the stored credential.",
        "Check the External Client App or connected app in the org's Setup, then register the org again.",
    ),
    _refused(
        "APP_NOT_INSTALLED",
        "The app is not installed in the org.",
        "After a sandbox refresh this may pass by itself: try again in some minutes. Otherwise install the app in "
        "the org: Setup > Connected Apps OAuth Usage, or Setup > External Client App Manager.",
        may_pass_within=timedelta(minutes=5),
    ),
    _refused(
        "APP_BLOCKED",
        "An admin of the org has blocked the app.",
        "An admin of the org must unblock it: Setup > Connected Apps OAuth Usage. Then test the connection.",
    ),
    _refused(
        "API_ACCESS_DENIED",
        "The org does not admit the user or the app to its API.",
        "An admin of the org must admit them in Setup > API Access Control, or give the app the scope api. Then test "
        "the connection.",
    ),
    _refused(
        "USER_NOT_APPROVED",
        "The user is not approved to use the connected app.",
        "Give the user access to the connected app by a permission set or profile.",
    ),
    _refused(
        "USER_INACTIVE",
        "The user of the stored credential is frozen or deactivated.",
        "Activate the user in the org, or register the org with another user.",
    ),
    _refused(
        "IP_NOT_ALLOWED",
        "The org does not allow log-ins from this desk's IP address, or not at this time of day.",
        "Add the desk's outgoing addresses to the org's trusted IP ranges, or relax the app's IP policy.",
    ),
    Failure(
        "ORG_GONE",
        errors.OrgGone,
        "The org is locked, deleted or expired.",
        "Ask Salesforce to unlock it. If the org is permanently gone, an owner can delete its registration.",
        Health.EXPIRED,
    ),
    _needs_auth_url(
        "SANDBOX_REFRESHED",
        "The sandbox was refreshed: it is now another org, for which the stored credential is not valid.",
        " If you register it by its sandbox name instead, it survives the next refresh.",
    ),
    _no_grant(
        "SANDBOX_AUTH_REFUSED",
        "The production org refuses access to this sandbox: only the user who created or last refreshed it has it.",
        "Register the production org with that user's auth URL, or the sandbox with an auth URL of its own.",
    ),
    _no_grant(
        "SANDBOX_USER_CHANGED",
        "Another user refreshed the sandbox, so its sessions would no longer belong to the registered user.",
        "An owner must register it again: POST /sfp/api/auth/salesforce/register-sandbox-by-name.",
        page_action="An owner must register it again by its sandbox name, in the console.",
    ),
    _no_grant(
        "SANDBOX_NOT_FOUND",
        "The production org has no sandbox of this name.",
        "Check the name in the production org: Setup > Sandboxes.",
        raises=errors.SandboxNotFound,
    ),
    _unavailable(
        "SANDBOX_BUSY",
        "The sandbox is being created or refreshed.",
        300,
        "Try again when Salesforce has finished.",
        trips_breaker=False,
    ),
    _unavailable(
        "REFRESH_IN_PROGRESS", "Another refresh of this credential is in progress.", 1, health=None, trips_breaker=False
    ),
    _unavailable("UPSTREAM_BUSY", "Too many concurrent requests to Salesforce.", 1, health=None, trips_breaker=False),
    _unavailable(
        "UPSTREAM_PAUSED",
        "Salesforce failed five times for this org, so requests for it are paused.",
        30,
        health=None,
        trips_breaker=False,
    ),
    _unavailable("UPSTREAM_MAINTENANCE", "Salesforce is down for maintenance.", 60, "See status.salesforce.com."),
    _unavailable("ORG_NOT_READY", "The org was just created or moved and is not ready yet.", 60),
    _unavailable("ORG_API_LIMIT", "The org has reached its limit of API requests.", 900, trips_breaker=False),
    _unavailable("UPSTREAM_ERROR", "Salesforce responded with a server error.", 30),
    _unavailable(
        "UPSTREAM_UNREACHABLE",
        "Salesforce cannot be reached from this desk.",
        30,
        "Try again later. If it stays, an operator must check the desk's DNS, firewall and SALESFORCE_PROXY.",
        health=None,
    ),
    _unavailable("UPSTREAM_LOST", "The connection to Salesforce broke before the response was complete.", 30),
    Failure(
        "UPSTREAM_LOGIN_LIMIT",
        errors.SalesforceLimited,
        "Salesforce's log-in limit for this user is reached.",
        "Request fewer tokens: an access token lives an hour or two.",
        Health.FAILING,
        3600,
        trips_breaker=False,
    ),
    Failure(
        "LOGIN_BUDGET",
        errors.SalesforceLimited,
        "The desk's log-in limit for this user is reached; it keeps Salesforce from locking the user out.",
        "Request fewer tokens: an access token lives an hour or two. An operator can raise LOGIN_BUDGET_PER_HOUR.",
        trips_breaker=False,
    ),
    Failure(
        "UPSTREAM_TIMEOUT", errors.SalesforceTimedOut, "Salesforce did not respond in time.", _TRY_LATER, Health.FAILING
    ),
    _rejected(
        "UPSTREAM_UNKNOWN_ERROR",
        "Salesforce refused the log-in with an error that this desk does not know.",
        "Try again. If it stays, look the error code up in Salesforce's documentation; the credential may be valid.",
    ),
    _rejected(
        "TLS_FAILED",
        "No trusted TLS connection to Salesforce could be made.",
        "An operator must check SALESFORCE_CA_BUNDLE and any proxy that inspects TLS.",
    ),
    _rejected(
        "UPSTREAM_ADDRESS_REFUSED",
        "The host has only private or reserved IP addresses, so the desk did not connect to it.",
        "Check the DNS entry of the host. If Salesforce is reached through a private network, an operator can "
        "add that network to SALESFORCE_ALLOWED_NETWORKS.",
    ),
    _rejected("UPSTREAM_UNREADABLE", "Salesforce's response could not be read.", _TRY_LATER),
    _rejected(
        "UPSTREAM_UNTRUSTED_URL",
        "Salesforce's response points to a host that does not belong to Salesforce.",
        "If the org has a custom domain, an operator can add it to SALESFORCE_EXTRA_DOMAINS.",
    ),
    _rejected(
        "UPSTREAM_REDIRECT",
        "Salesforce redirected the request. The desk does not follow redirects of requests that may carry a secret.",
        "The org may have moved: register it again with a new auth URL.",
    ),
    _needs_auth_url(
        "ORG_ID_MISMATCH",
        "Salesforce's response belongs to another org than the registered one.",
        raises=errors.SalesforceRefused,
        health=Health.FAILING,
    ),
    _rejected(
        "SESSION_REFUSED",
        "Salesforce issued an access token and then rejected it, twice.",
        "Check the org's session settings: they may lock sessions to an IP address or end them at once.",
    ),
    Failure(
        "FRONTDOOR_REFUSED",
        errors.SalesforceRefused,
        "The org issues no front-door link for this user.",
        "The user may be API-only, or the app may lack the scope web or full. Change it in the org's Setup.",
        trips_breaker=False,
    ),
    Failure(
        "UPSTREAM_REFUSED",
        errors.SalesforceRefused,
        "Salesforce refused the request.",
        "Check the permissions of the user of this org: API access is required.",
    ),
)
