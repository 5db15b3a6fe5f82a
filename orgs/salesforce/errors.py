"""Exceptions of calls to Salesforce.

SalesforceError
├── Refused              permanent: the same request will be refused again
│   ├── ExpiredToken     revoked, rotated, over the limit of grants, or wrong host
│   ├── AppRejected      client id or secret wrong
│   ├── AppNotInstalled, AppBlocked, APIAccessDenied, UserNotApproved, UserInactive, IPNotAllowed
│   ├── OrgGone          locked, deleted, trial over
│   ├── SessionExpired   the access token has ended, not the refresh token
│   └── RequestRefused   any other error of the REST API, in `error_code`
├── UnknownRefusal       an OAuth error that is not in refusals.py; nothing follows from it
├── Temporary            a complete response that asks to retry later
│   ├── AlreadyProcessing, LoginRateExceeded, APILimitReached
│   └── Maintenance, NotReady, ServerError
├── Unreachable          nothing was sent: the name did not resolve, or no connection
│   ├── HostNotFound, ConnectTimedOut
│   ├── TLSFailed
│   └── AddressRefused   the host resolves to no allowed address
├── LostResponse         sent, but no complete response: a refresh may have happened
│   ├── TimedOut
│   └── EdgeFailed       a proxy in front of Salesforce sent 502; a 504 is TimedOut
├── Unreadable           a successful status with an unexpected body
│   └── Garbled          not even JSON: it may have held a token
└── Untrusted            a response that points to a host that is not Salesforce's
    └── Redirected

No exception holds a token, a body, or a text of Salesforce, other than an error code that is a plain word.
"""

MAX_DETAIL_LENGTH = 400


def named_error(error_code: str) -> str:
    """Return the sentence that names an error code of Salesforce."""
    return f"Salesforce's error code is {error_code}."


class SalesforceError(Exception):
    """A call to Salesforce failed. `retry_after` is in seconds, if Salesforce sent it.

    `detail` is what only this failure shows, as sentences without a secret: a host, an error code.
    """

    def __init__(self, message: str = "", *, retry_after: int | None = None, detail: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        self.retry_after = retry_after
        self.detail = detail[:MAX_DETAIL_LENGTH]


class Refused(SalesforceError):
    """Salesforce refused, and would refuse again."""


class ExpiredToken(Refused):
    """Salesforce no longer accepts this refresh token."""


class AppRejected(Refused):
    """Salesforce rejects the client id or secret."""


class AppNotInstalled(Refused):
    """The connected app is not installed in the org."""


class AppBlocked(Refused):
    """An admin of the org has blocked the app."""


class APIAccessDenied(Refused):
    """The org's API Access Control does not admit the user or the app."""


class UserNotApproved(Refused):
    """The user is not approved for the connected app."""


class UserInactive(Refused):
    """The user is frozen or deactivated."""


class IPNotAllowed(Refused):
    """The org does not allow log-ins from this IP address or at this time of day."""


class OrgGone(Refused):
    """The org is locked, deleted or expired."""


class SessionExpired(Refused):
    """The access token is invalid or has expired."""


class RequestRefused(Refused):
    """The REST API refused the request."""

    def __init__(self, error_code: str, status: int) -> None:
        super().__init__(f"Salesforce refused the request with {error_code}.", detail=named_error(error_code))
        self.error_code = error_code
        self.status = status


class UnknownRefusal(SalesforceError):
    """Salesforce refused with an error that is not known."""


class Temporary(SalesforceError):
    """Salesforce refused for now; retry later."""


class AlreadyProcessing(Temporary):
    """Salesforce is already processing a request with this token."""


class LoginRateExceeded(Temporary):
    """The user exceeded the log-in rate."""


class APILimitReached(Temporary):
    """The org has reached its limit of API requests."""


class Maintenance(Temporary):
    """Salesforce is down for maintenance."""


class NotReady(Temporary):
    """The org is new or was moved, and serves an HTML page instead of the API."""


class ServerError(Temporary):
    """Salesforce responded with an internal error."""


class Unreachable(SalesforceError):
    """No connection to Salesforce could be made; nothing was sent."""


class HostNotFound(Unreachable):
    """The name of the host does not resolve; nothing was sent."""


class ConnectTimedOut(Unreachable):
    """No connection to Salesforce could be made in time; nothing was sent."""


class TLSFailed(Unreachable):
    """No trusted TLS connection to Salesforce could be made; nothing was sent."""


class AddressRefused(Unreachable):
    """The host resolves to no allowed address; nothing was sent."""


class LostResponse(SalesforceError):
    """The connection closed after the request was sent and before the response was complete."""


class TimedOut(LostResponse):
    """The request was sent, but no complete response arrived in time."""


class EdgeFailed(LostResponse):
    """A proxy in front of Salesforce failed; whether Salesforce processed the request is unknown."""


class Unreadable(SalesforceError):
    """Salesforce's response could not be parsed."""


class Garbled(Unreadable):
    """Salesforce's response has a successful status and a body that is not JSON."""


class Untrusted(SalesforceError):
    """Salesforce's response points to a host that is not Salesforce's."""


class Redirected(Untrusted):
    """Salesforce redirected the request, which was not followed."""
