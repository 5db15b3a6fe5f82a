"""What can go wrong in authn. These know no HTTP; config/exceptions.py gives each a status.

DomainError
├── BearerRefused          a bearer came and is not good
│   ├── BearerExpired      it was once
│   └── BearerRevoked      it was taken back
├── LoginRefused           wrong e-mail or password, or the person is switched off
├── TooManyTries           the name is locked for a while
├── LoginBusy              more passwords wait to be checked than this process can bear
├── RefreshRefused         a refresh token is not, or no longer, good
│   └── RefreshReused      it was used before
├── LinkRefused            a password link is spent, old or made up
├── ContinuationRefused    a continue link says something that cannot be
├── ForeignOrigin          a page of another site sent the request
├── AuditUnavailable       the audit row of a request cannot be written
├── TokenNotFound          no application token has this id
└── LastOwner              the desk would be left without an owner
"""

from authn.principals import Principal


class DomainError(Exception):
    """Base of every error that a client may see: a machine-readable code, a message and what to do.

    `page_action` replaces `action` on HTML pages, where there is no API to call. `retry_after` is in seconds.
    `subject`, where it is set, names the org that the message speaks of when that is not the requested one.
    """

    code = ""
    message = ""
    action = ""
    page_action = ""
    retry_after: int | None = None
    subject = ""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        action: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message or self.message)
        self.code = code or self.code
        self.action = action or self.action
        self.retry_after = retry_after or self.retry_after

    def __str__(self) -> str:
        message = super().__str__()
        return f"{self.subject}: {message}" if self.subject else message


class BearerRefused(DomainError):
    """The bearer is malformed, forged, expired, revoked, or its holder is switched off."""

    code = "TOKEN_INVALID"
    message = "The bearer token is not valid."
    action = "Send a valid token: log in again, or ask an owner for a new application token."

    def __init__(self, holder: Principal | None = None) -> None:
        super().__init__()
        self.holder = holder  # whose bearer it was, where the bearer proved that much


class BearerExpired(BearerRefused):
    """The bearer was good once and its time is over."""

    code = "TOKEN_EXPIRED"
    message = "The bearer token has expired."


class BearerRevoked(BearerRefused):
    """The bearer was taken back, or its log-in was ended."""

    code = "TOKEN_REVOKED"
    message = "The bearer token was revoked."


class LoginRefused(DomainError):
    """E-mail and password do not belong to an active person. Says no more, on purpose."""

    code = "INVALID_CREDENTIALS"
    message = "Invalid credentials"
    action = "Check e-mail and password. An owner can reset your password."


class TooManyTries(DomainError):
    """Too many wrong passwords came for one name; it is locked for `retry_after` seconds."""

    code = "LOGIN_LOCKED"
    message = "Too many failed log-ins for this name."
    action = "Wait until the lock ends, then try again."

    retry_after: int

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)


class LoginBusy(DomainError):
    """More passwords wait to be checked or set than this process can bear. Nothing was counted or changed."""

    code = "LOGIN_BUSY"
    message = "Too many passwords are being checked at this moment."
    action = "Wait as long as Retry-After says, then try again."
    retry_after: int = 5


class RefreshRefused(DomainError):
    """The refresh token is malformed, forged, expired, or its log-in was ended."""

    code = "REFRESH_INVALID"
    message = "The refresh token is not valid."
    action = "Log in again."


class RefreshReused(RefreshRefused):
    """A spent refresh token came back, so two hold it: the log-in is ended for both."""

    code = "REFRESH_REUSED"
    message = "The refresh token was used before, so this log-in was ended."
    action = "Log in again. If you did not send it twice, somebody else has your token: change your password."


class LinkRefused(DomainError):
    """A link to set a password is made up, was used, or is too old; says no more, on purpose."""

    code = "PASSWORD_LINK_INVALID"
    message = "This link is not good any more."
    action = "Ask an owner of this desk for a new one. If you have set a password already, log in with it."


class AuditUnavailable(DomainError):
    """The audit row of a request cannot be written, so the request is not carried out."""

    code = "AUDIT_UNAVAILABLE"
    message = "The audit trail cannot be written, so nothing was done."
    action = "Try again after a few seconds. If it stays, an operator must make the audit table writable again."
    retry_after: int = 5


class TokenNotFound(DomainError):
    """No application token that is still good has this id or value."""

    code = "TOKEN_NOT_FOUND"
    message = "No active application token has this id."
    action = "List the tokens with GET /sfp/api/application-tokens."


class LastOwner(DomainError):
    """The last active owner can be neither demoted nor switched off."""

    code = "LAST_OWNER"
    message = "This is the last active owner."
    action = "Make another person owner first."


class ContinuationRefused(DomainError):
    """A continue link names an unknown action, or lacks a part, or has one twice."""

    code = "INVALID_CONTINUE_LINK"
    message = "This link cannot be followed."
    action = "Ask whoever gave you the link for a whole one, or open the org from the start page."


class ForeignOrigin(DomainError):
    """A page of another site sent a request that would log this browser in."""

    code = "FOREIGN_ORIGIN"
    message = "The request came from a page of another site."
    action = "Send it from a page of this desk, or without an Origin header."
