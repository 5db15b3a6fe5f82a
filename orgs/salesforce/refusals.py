"""Salesforce's words, and what they mean to us; all of its wire texts stand in this one file.

Some texts come from memory or from other clients' code, because no real org could be asked. When
one turns out to read differently, this is where it is mended.
"""

from orgs.salesforce import errors

# (error, words in error_description, what it is); the first that fits wins. "" fits anything.
_OAUTH: tuple[tuple[str, str, type[errors.SalesforceError]], ...] = (
    ("", "token request is already being processed", errors.AlreadyProcessing),
    ("", "login rate exceeded", errors.LoginRateExceeded),
    ("", "login_rate_exceeded", errors.LoginRateExceeded),
    ("rate_limit_exceeded", "", errors.LoginRateExceeded),
    ("", "data not available", errors.OrgGone),
    ("", "app must be installed", errors.AppNotInstalled),
    ("", "hasn't approved this consumer", errors.UserNotApproved),
    ("", "not admin approved", errors.UserNotApproved),
    ("inactive_user", "", errors.UserInactive),
    ("inactive_org", "", errors.OrgGone),
    ("invalid_grant", "inactive organization", errors.OrgGone),
    ("invalid_grant", "inactive user", errors.UserInactive),
    ("invalid_grant", "authentication failure", errors.UserInactive),
    ("invalid_grant", "ip restricted", errors.IPNotAllowed),
    ("invalid_grant", "invalid login hours", errors.IPNotAllowed),
    ("invalid_grant", "", errors.ExpiredToken),
    ("invalid_client_id", "", errors.AppRejected),
    ("invalid_client", "", errors.AppRejected),
    ("unsupported_grant_type", "", errors.AppRejected),
    ("invalid_app_access", "", errors.UserNotApproved),
    ("unknown_error", "", errors.ServerError),
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


def oauth_refusal(error: str, description: str) -> type[errors.SalesforceError]:
    """Return what an OAuth error means; one that we do not know is a refusal of the app."""
    described = description.lower()
    for known, words, meaning in _OAUTH:
        if known in ("", error) and words in described:
            return meaning
    return errors.AppRejected


def rest_refusal(error_code: str) -> type[errors.SalesforceError] | None:
    """Return what a REST errorCode means, None when it is an ordinary refusal of the request."""
    return _REST.get(error_code)


def is_dead_session(body: bytes) -> bool:
    """Return True if a 403 names the access token as its reason, as plain text does and a page may."""
    return any(text in body[:_PAGE_BYTES] for text in _DEAD_SESSION_TEXTS)


def page_meaning(body: bytes) -> type[errors.SalesforceError]:
    """Return what an HTML page in place of an answer means."""
    text = body[:_PAGE_BYTES].lower()
    if b"data not available" in text:
        return errors.OrgGone
    return errors.Maintenance if b"maintenance" in text else errors.NotReady
