"""Maps Salesforce's error codes and texts to exceptions; every text of the wire is in this file.

Some texts come from memory or from other clients' code and were never seen from a real org. If one
turns out to read differently, correct it here.
"""

from orgs.salesforce import errors

# (error, text in error_description, exception); the first match wins. "" matches anything.
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
    """Return the exception of an OAuth error; an unknown one means that the app is rejected."""
    described = description.lower()
    for known, text, meaning in _OAUTH:
        if known in ("", error) and text in described:
            return meaning
    return errors.AppRejected


def rest_refusal(error_code: str) -> type[errors.SalesforceError] | None:
    """Return the exception of a REST errorCode, None for any other refused request."""
    return _REST.get(error_code)


def is_dead_session(body: bytes) -> bool:
    """Return True if the body of a 403, plain text or a page, names the access token as its reason."""
    return any(text in body[:_PAGE_BYTES] for text in _DEAD_SESSION_TEXTS)


def page_meaning(body: bytes) -> type[errors.SalesforceError]:
    """Return the exception of an HTML page that was served instead of JSON."""
    text = body[:_PAGE_BYTES].lower()
    if b"data not available" in text:
        return errors.OrgGone
    return errors.Maintenance if b"maintenance" in text else errors.NotReady
