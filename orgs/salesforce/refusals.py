"""Maps Salesforce's error codes and texts to exceptions; every text of the wire is in this file.

Some texts come from memory or from other clients' code and were never seen from a real org. If one
turns out to read differently, correct it here.
"""

import re
from dataclasses import dataclass

from orgs.salesforce import errors

# The grants of the token endpoint: a text that one of them sends may mean something else in another.
REFRESH, CODE, REVOCATION = "refresh_token", "authorization_code", ""
_ANY = (REFRESH, CODE, REVOCATION)


@dataclass(frozen=True, slots=True)
class _Rule:
    """An error, a part of its description, in lower case, and what they mean. "" matches anything."""

    error: str
    text: str
    meaning: type[errors.SalesforceError]
    grants: tuple[str, ...] = _ANY


# The first match wins.
_OAUTH = (
    _Rule("", "token request is already being processed", errors.AlreadyProcessing),
    _Rule("", "login rate exceeded", errors.LoginRateExceeded),
    _Rule("", "login_rate_exceeded", errors.LoginRateExceeded),
    _Rule("rate_limit_exceeded", "", errors.LoginRateExceeded),
    _Rule("server_error", "", errors.ServerError),
    _Rule("temporarily_unavailable", "", errors.ServerError),
    _Rule("unknown_error", "", errors.ServerError),
    _Rule("", "data not available", errors.OrgGone),
    _Rule("", "app must be installed", errors.AppNotInstalled),
    _Rule("", "app is not installed in this org", errors.AppNotInstalled),
    _Rule("app_not_found", "", errors.AppNotInstalled),
    _Rule("oauth_ec_app_not_found", "", errors.AppNotInstalled),
    _Rule("oauth_app_blocked", "", errors.AppBlocked),
    _Rule("", "app is blocked by admin", errors.AppBlocked),
    _Rule("", "api access control", errors.APIAccessDenied),
    _Rule("", "hasn't approved this consumer", errors.UserNotApproved),
    _Rule("", "not admin approved", errors.UserNotApproved),
    _Rule("invalid_app_access", "", errors.UserNotApproved),
    _Rule("inactive_user", "", errors.UserInactive),
    _Rule("inactive_org", "", errors.OrgGone),
    _Rule("invalid_grant", "inactive organization", errors.OrgGone),
    _Rule("invalid_grant", "inactive user", errors.UserInactive),
    _Rule("invalid_grant", "authentication failure", errors.UserInactive),
    _Rule("invalid_grant", "ip restricted", errors.IPNotAllowed),
    _Rule("invalid_grant", "invalid login hours", errors.IPNotAllowed),
    _Rule("invalid_grant", "expired access/refresh token", errors.ExpiredToken, (REFRESH,)),
    _Rule("invalid_client", "invalid client", errors.AppRejected),
    _Rule("invalid_client_id", "", errors.AppRejected),
    _Rule("unsupported_grant_type", "", errors.AppRejected),
)
# What RFC 6749 says of an error that comes without a description.
_UNDESCRIBED = (
    _Rule("invalid_grant", "", errors.ExpiredToken, (REFRESH,)),
    _Rule("invalid_client", "", errors.AppRejected),
)

_REST: dict[str, type[errors.SalesforceError]] = {
    "INVALID_SESSION_ID": errors.SessionExpired,
    "REQUEST_LIMIT_EXCEEDED": errors.APILimitReached,
    "SERVER_UNAVAILABLE": errors.Maintenance,
    "UNKNOWN_EXCEPTION": errors.ServerError,
    "LOGIN_RATE_EXCEEDED": errors.LoginRateExceeded,
    "INACTIVE_ORG_OR_USER": errors.UserInactive,
}

_PAGE_BYTES = 65_536
_DEAD_SESSION_TEXTS = (b"Bad_OAuth_Token", b"Missing_OAuth_Token", b"Wrong_Org")
# The page of an org that is being created or moved reloads itself until the org is ready (forcedotcom/cli 3598).
_NOT_READY_MARKS = (b"interstitial", b"stay tuned", b"auto-refresh when ready", b"domain is being set up")
# The org admits only some apps to its API, and this session is not one of theirs (forcedotcom/cli 3428).
_UNFIT_SESSION = "session is not valid for use with the"
# Digits and letters in one word may be a secret.
_WORDS = re.compile(r"[A-Za-z]{1,24}(?:_(?:[A-Za-z]{1,24}|[0-9]{1,4})){0,9}", re.ASCII)
_MAX_CODE = 80


def oauth_refusal(error: str, description: str, *, grant: str) -> type[errors.SalesforceError]:
    """Return the exception of an OAuth error in response to a `grant`.

    An unknown error or text proves nothing about the credential, and is UnknownRefusal.
    """
    named, described = error.strip().lower(), description.strip().lower()
    for rule in _OAUTH if described else (*_OAUTH, *_UNDESCRIBED):
        if grant in rule.grants and rule.error in ("", named) and rule.text in described:
            return rule.meaning
    return errors.UnknownRefusal


def shown_code(error: str) -> str:
    """Return an error code without control characters, "" unless it consists of words: it may be anything."""
    code = "".join(character for character in error[:_MAX_CODE] if character.isprintable()).strip()
    return code if _WORDS.fullmatch(code) else ""


def rest_refusal(error_code: str, message: str) -> type[errors.SalesforceError] | None:
    """Return the exception of a REST errorCode and its message, None for any other refused request."""
    if error_code == "INVALID_SESSION_ID" and _UNFIT_SESSION in message.lower():
        return errors.APIAccessDenied
    return _REST.get(error_code)


def is_dead_session(body: bytes) -> bool:
    """Return True if the body of a 403, plain text or a page, names the access token as its reason."""
    return any(text in body[:_PAGE_BYTES] for text in _DEAD_SESSION_TEXTS)


def page_meaning(body: bytes) -> type[errors.SalesforceError] | None:
    """Return the exception of an HTML page of Salesforce that was served instead of JSON.

    Returns None for any other page: a proxy or firewall may have served it.
    """
    text = body[:_PAGE_BYTES].lower()
    if b"data not available" in text:
        return errors.OrgGone
    if b"maintenance" in text:
        return errors.Maintenance
    return errors.NotReady if any(mark in text for mark in _NOT_READY_MARKS) else None
