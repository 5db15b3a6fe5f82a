"""How an attempt to get a session can end badly: one row for each code, said once for all routes.

A credential's row keeps the code of its last attempt, so that callers who waited for the attempt
in other threads, processes and machines can be told the same as the one who made it.
Source: the fault table (design section 8).
"""

from dataclasses import dataclass

from orgs.credentials import errors
from orgs.credentials.models import Credential, Health
from orgs.salesforce import errors as salesforce

_LOG_IN_AGAIN = (
    "An owner must register this org again: `sf org login web`, then "
    "`sf org auth show-sfdx-auth-url -o <alias> --json`, then POST /sfp/api/auth/salesforce/register."
)
_TRY_LATER = "Try again later."


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail. `definite` endings stay until somebody acts; `health` None keeps the state."""

    code: str
    raises: type[errors.SessionError]
    message: str
    action: str
    health: Health | None = None
    retry_after: int | None = None
    trips_breaker: bool = True  # towards the breaker: Salesforce is unwell, and asking makes it no better

    @property
    def permanent(self) -> bool:
        """Tell whether asking again, with the same credential, can only end the same way."""
        return issubclass(self.raises, errors.CredentialRefused)

    @property
    def is_client_error(self) -> bool:
        """Tell whether it means, to whoever brought this credential just now, that it is no good."""
        return self.permanent or self.code in ("ORG_ID_MISMATCH", "UPSTREAM_REFUSED")

    def error(self, retry_after: int | None = None, *, message: str = "") -> errors.SessionError:
        """Return the error to raise. `retry_after`, from Salesforce, replaces the usual seconds."""
        return self.raises(self.code, message or self.message, self.action, retry_after or self.retry_after)


def _refused(code: str, message: str, action: str) -> Failure:
    return Failure(code, errors.CredentialRefused, message, action, Health.EXPIRED)


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


_FAILURES = (
    _refused("CREDENTIAL_EXPIRED", "Salesforce no longer accepts the refresh token of this org.", _LOG_IN_AGAIN),
    _refused(
        "LOST_ANSWER",
        "An answer of Salesforce that held the next refresh token of this org was lost, and the old one is spent.",
        _LOG_IN_AGAIN,
    ),
    _refused(
        "APP_REJECTED",
        "Salesforce rejects the client id or secret of the stored credential.",
        "Check the External Client App or connected app in the org's Setup, then register the org again.",
    ),
    _refused(
        "APP_NOT_INSTALLED",
        "The connected app is not installed in the org.",
        "In the org: Setup > Connected Apps OAuth Usage > Install.",
    ),
    _refused(
        "USER_NOT_APPROVED",
        "The user is not approved to use the connected app.",
        "Assign a permission set or profile that admits the user to the connected app.",
    ),
    _refused(
        "USER_INACTIVE",
        "The user of the stored credential is frozen or deactivated.",
        "Activate the user in the org, or register the org with another user.",
    ),
    _refused(
        "IP_NOT_ALLOWED",
        "The org does not admit the address of this desk, or not at this hour.",
        "Add the desk's outgoing addresses to the org's trusted ranges, or relax the app's IP policy.",
    ),
    Failure(
        "ORG_GONE",
        errors.OrgGone,
        "The org is locked, deleted or expired.",
        "Ask Salesforce to unlock it; if it is registered here and gone for good, an owner can delete it.",
        Health.EXPIRED,
    ),
    _refused(
        "SANDBOX_REFRESHED",
        "The sandbox was refreshed: it is another org now, and the stored credential died with the old one.",
        _LOG_IN_AGAIN + " Or register it by name, and it is never to be done again.",
    ),
    Failure(
        "SANDBOX_AUTH_REFUSED",
        errors.GrantRefused,
        "The production org gives no log-in to this sandbox: only the user who created or last refreshed it gets one.",
        "Register the production org with that user's auth URL, or the sandbox with an auth URL of its own.",
        Health.EXPIRED,
        trips_breaker=False,
    ),
    Failure(
        "SANDBOX_USER_CHANGED",
        errors.GrantRefused,
        "The sandbox was refreshed by another user, so that its log-ins are of another user than the registered one.",
        "An owner must register it again: POST /sfp/api/auth/salesforce/register-sandbox-by-name.",
        Health.EXPIRED,
        trips_breaker=False,
    ),
    Failure(
        "SANDBOX_NOT_FOUND",
        errors.SandboxNotFound,
        "The production org has no sandbox of this name.",
        "Check the name in the production org: Setup > Sandboxes.",
        Health.EXPIRED,
        trips_breaker=False,
    ),
    _unavailable(
        "SANDBOX_BUSY",
        "The sandbox is being created or refreshed.",
        300,
        "Try again when it is done.",
        trips_breaker=False,
    ),
    _unavailable(
        "REFRESH_IN_PROGRESS", "Another refresh of this credential is under way.", 1, health=None, trips_breaker=False
    ),
    _unavailable(
        "UPSTREAM_BUSY",
        "This desk has as many requests to Salesforce as it can bear.",
        1,
        health=None,
        trips_breaker=False,
    ),
    _unavailable(
        "UPSTREAM_PAUSED",
        "Salesforce failed five times for this org, and is left alone.",
        30,
        health=None,
        trips_breaker=False,
    ),
    _unavailable("UPSTREAM_MAINTENANCE", "Salesforce is down for maintenance.", 60, "See status.salesforce.com."),
    _unavailable("ORG_NOT_READY", "The org is new or was moved, and is not ready yet.", 60),
    _unavailable("ORG_API_LIMIT", "The org has used up its API requests.", 900, trips_breaker=False),
    _unavailable("UPSTREAM_ERROR", "Salesforce answered with an error of its own.", 30),
    _unavailable("UPSTREAM_UNREACHABLE", "Salesforce cannot be reached from this desk.", 30, health=None),
    _unavailable("UPSTREAM_LOST", "The connection broke before Salesforce had answered.", 30),
    Failure(
        "UPSTREAM_LOGIN_LIMIT",
        errors.SalesforceLimited,
        "Salesforce allows no more log-ins of this user for now.",
        "Ask for fewer tokens: one lives an hour or two.",
        Health.FAILING,
        3600,
        trips_breaker=False,
    ),
    Failure(
        "LOGIN_BUDGET",
        errors.SalesforceLimited,
        "This desk makes no more log-ins of this user for now, so that Salesforce does not lock the user out.",
        "Ask for fewer tokens: one lives an hour or two. An operator can change LOGIN_BUDGET_PER_HOUR.",
        trips_breaker=False,
    ),
    Failure(
        "UPSTREAM_TIMEOUT",
        errors.SalesforceTimedOut,
        "Salesforce did not answer in time.",
        _TRY_LATER,
        Health.FAILING,
    ),
    Failure(
        "TLS_FAILED",
        errors.SalesforceRefused,
        "No trusted TLS connection to Salesforce could be made.",
        "Check SALESFORCE_CA_BUNDLE and whatever inspects TLS on the way.",
        Health.FAILING,
    ),
    Failure(
        "UPSTREAM_ADDRESS_REFUSED",
        errors.SalesforceRefused,
        "The host has no address on the internet, only private or reserved ones, so the desk did not connect to it.",
        "Check what the host resolves to. If Salesforce is reached through a private network, an operator can "
        "add that network to SALESFORCE_ALLOWED_NETWORKS.",
        Health.FAILING,
    ),
    Failure(
        "UPSTREAM_UNREADABLE",
        errors.SalesforceRefused,
        "Salesforce's answer could not be read.",
        _TRY_LATER,
        Health.FAILING,
    ),
    Failure(
        "UPSTREAM_UNTRUSTED_URL",
        errors.SalesforceRefused,
        "Salesforce's answer points to a host that is none of Salesforce's.",
        "If the org has a domain of its own, an operator can add it to SALESFORCE_EXTRA_DOMAINS.",
        Health.FAILING,
    ),
    Failure(
        "UPSTREAM_REDIRECT",
        errors.SalesforceRefused,
        "Salesforce redirected the request, which may carry a secret, so it was not followed.",
        "The org may have moved: register it again with a new auth URL.",
        Health.FAILING,
    ),
    Failure(
        "ORG_ID_MISMATCH",
        errors.SalesforceRefused,
        "Salesforce's answer is for another org than the registered one.",
        _LOG_IN_AGAIN,
        Health.FAILING,
    ),
    Failure(
        "SESSION_REFUSED",
        errors.SalesforceRefused,
        "Salesforce gave an access token, and then did not accept it, twice.",
        "Look at the org's session settings: they may lock sessions to an address or end them at once.",
        Health.FAILING,
    ),
    Failure(
        "FRONTDOOR_REFUSED",
        errors.SalesforceRefused,
        "The org gives this user no one-time link.",
        "The user may be API-only, or the app may lack the scope web or full: change that in the org's Setup.",
        trips_breaker=False,
    ),
    Failure(
        "UPSTREAM_REFUSED",
        errors.SalesforceRefused,
        "Salesforce refused the request.",
        "Check what the user of this org may do: API access is needed.",
    ),
)
BY_CODE = {ending.code: ending for ending in _FAILURES}

_BY_WIRE_ERROR: tuple[tuple[type[salesforce.SalesforceError], str], ...] = (
    (salesforce.AppNotInstalled, "APP_NOT_INSTALLED"),
    (salesforce.AppRejected, "APP_REJECTED"),
    (salesforce.UserNotApproved, "USER_NOT_APPROVED"),
    (salesforce.UserInactive, "USER_INACTIVE"),
    (salesforce.IPNotAllowed, "IP_NOT_ALLOWED"),
    (salesforce.OrgGone, "ORG_GONE"),
    (salesforce.ExpiredToken, "CREDENTIAL_EXPIRED"),
    (salesforce.AlreadyProcessing, "REFRESH_IN_PROGRESS"),
    (salesforce.LoginRateExceeded, "UPSTREAM_LOGIN_LIMIT"),
    (salesforce.APILimitReached, "ORG_API_LIMIT"),
    (salesforce.Maintenance, "UPSTREAM_MAINTENANCE"),
    (salesforce.NotReady, "ORG_NOT_READY"),
    (salesforce.Temporary, "UPSTREAM_ERROR"),
    (salesforce.TLSFailed, "TLS_FAILED"),
    (salesforce.AddressRefused, "UPSTREAM_ADDRESS_REFUSED"),
    (salesforce.ConnectTimedOut, "UPSTREAM_TIMEOUT"),
    (salesforce.Unreachable, "UPSTREAM_UNREACHABLE"),
    (salesforce.TimedOut, "UPSTREAM_TIMEOUT"),
    (salesforce.LostAnswer, "UPSTREAM_LOST"),
    (salesforce.Unreadable, "UPSTREAM_UNREADABLE"),
    (salesforce.Redirected, "UPSTREAM_REDIRECT"),
    (salesforce.Untrusted, "UPSTREAM_UNTRUSTED_URL"),
    (salesforce.SessionExpired, "SESSION_REFUSED"),
    (salesforce.SalesforceError, "UPSTREAM_REFUSED"),
)


def failure_of(error: salesforce.SalesforceError) -> Failure:
    """Return what an error of the wire means to callers and to the credential."""
    return BY_CODE[next(code for kind, code in _BY_WIRE_ERROR if isinstance(error, kind))]


def error_for(code: str, retry_after: int | None = None) -> errors.SessionError:
    """Return the error that an attempt with this outcome code ends in."""
    return BY_CODE[code].error(retry_after)


def recorded_failure(credential: Credential) -> Failure | None:
    """Return the permanent failure that a credential's last attempt ended in, None if it may be refreshed."""
    failure = BY_CODE.get(credential.outcome)
    return failure if failure and failure.permanent else None
