"""Errors of authn. They know no HTTP; config/error_statuses.py gives each a status.

DomainError
├── BearerRefused          the bearer token is not valid
│   ├── BearerExpired      it has expired
│   └── BearerRevoked      it was revoked
├── LoginRefused           wrong e-mail or password, or a deactivated user
├── TooManyTries           the name is locked for a while
├── LoginBusy              too many passwords are waiting to be hashed in this process
├── RefreshRefused         the refresh token is not valid
│   └── RefreshReused      it was used before
├── LinkRefused            the password link was used, has expired or is forged
├── ContinuationRefused    the continue link is malformed
├── ForeignOrigin          a page of another site sent the request
├── AuditUnavailable       the audit row of a request cannot be written
├── TokenNotFound          no application token has this id
├── RoleRequired           the caller's role may not call this route
└── LastOwner              the desk would be left without an owner
"""

from collections.abc import Iterable

from authn.audit_rows.targets import Target
from authn.principals import Principal
from authn.roles import Role


class DomainError(Exception):
    """Base of every error that a client may see: a machine-readable code, a message and an action.

    A class is an entry of the error catalogue: its `message` is a template, which the constructor fills with
    `values`. `page_action` replaces `action` on HTML pages, where there is no API to call. `retry_after` is in
    seconds. `subject` names the org that the message is about, if it is not the requested one. `refused`
    is the target for the audit row of a refusal, if the error knows it.
    """

    code = ""
    message = ""
    action = ""
    page_action = ""
    retry_after: int | None = None
    subject = ""
    refused: Target | None = None

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        action: str = "",
        page_action: str = "",
        retry_after: int | None = None,
        **values: object,
    ) -> None:
        super().__init__(message or self.message.format(**values))
        self.code = code or self.code
        self.action = action or self.action
        self.page_action = page_action or self.page_action or self.action
        self.retry_after = retry_after or self.retry_after

    def __str__(self) -> str:
        message = super().__str__()
        return f"{self.subject}: {message}" if self.subject else message


class BearerRefused(DomainError):
    """The bearer token is malformed, forged, expired or revoked, or its user is deactivated."""

    code = "TOKEN_INVALID"
    message = "The bearer token is not valid."
    action = "Send a valid token: log in again, or ask an owner for a new application token."

    def __init__(self, holder: Principal | None = None) -> None:
        super().__init__()
        self.holder = holder  # the token's principal, if its signature or digest proves it


class BearerExpired(BearerRefused):
    """The bearer token was valid and has expired."""

    code = "TOKEN_EXPIRED"
    message = "The bearer token has expired."


class BearerRevoked(BearerRefused):
    """The bearer token was revoked, or its log-in has ended."""

    code = "TOKEN_REVOKED"
    message = "The bearer token was revoked."


class LoginRefused(DomainError):
    """E-mail and password do not belong to an active user. Reveals nothing more, on purpose."""

    code = "INVALID_CREDENTIALS"
    message = "Invalid credentials"
    action = "Check e-mail and password. An owner can reset your password."


class TooManyTries(DomainError):
    """Too many wrong passwords were tried for one name, which is locked for `retry_after` seconds."""

    code = "LOGIN_LOCKED"
    message = "Too many failed log-ins for this name."
    action = "Wait until the lock ends, then try again."

    retry_after: int

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)


class LoginBusy(DomainError):
    """More passwords are waiting to be hashed than this process allows. Nothing was counted or changed."""

    code = "LOGIN_BUSY"
    message = "Too many passwords are being checked at this moment."
    action = "Wait as long as Retry-After says, then try again."
    page_action = "Try again in a few seconds."
    retry_after = 5


class RefreshRefused(DomainError):
    """The refresh token is malformed, forged or expired, or its log-in has ended."""

    code = "REFRESH_INVALID"
    message = "The refresh token is not valid."
    action = "Log in again."


class RefreshReused(RefreshRefused):
    """A used refresh token was sent again, which means that two clients hold it: the log-in ends for both."""

    code = "REFRESH_REUSED"
    message = "The refresh token was used before, so this log-in was ended."
    action = "Log in again. If you did not send it twice, your token was stolen: change your password."


class LinkRefused(DomainError):
    """A password link is forged, used or expired. Reveals nothing more, on purpose."""

    code = "PASSWORD_LINK_INVALID"
    message = "This link has expired or was used before."
    action = "Ask an owner of this desk for a new one. If you have already set a password, log in with it."


class AuditUnavailable(DomainError):
    """The audit row of a request cannot be written, so the request is not carried out."""

    code = "AUDIT_UNAVAILABLE"
    message = "The audit trail cannot be written, so nothing was done."
    action = "Try again after a few seconds. If the error persists, an operator must make the audit table writable."
    retry_after = 5


class TokenNotFound(DomainError):
    """No active application token has this id or value."""

    code = "TOKEN_NOT_FOUND"
    message = "No active application token has this id."
    action = "List the tokens with GET /sfp/api/application-tokens."
    page_action = "Return to the list of application tokens."


class RoleRequired(DomainError):
    """The route requires one of `roles`. REST framework's PermissionDenied stands for it in the API's views."""

    code = "ROLE_REQUIRED"
    message = "Forbidden - Requires role: {roles}"
    action = "Ask an owner of this desk to do it, or for one of these roles."

    def __init__(self, roles: Iterable[Role]) -> None:
        super().__init__(roles=", ".join(role.value for role in roles))


class LastOwner(DomainError):
    """The last active owner can be neither demoted nor deactivated."""

    code = "LAST_OWNER"
    message = "This is the last active owner."
    action = "Make another user an owner first."


class ContinuationRefused(DomainError):
    """A continue link names an unknown action, lacks a parameter or repeats one."""

    code = "INVALID_CONTINUE_LINK"
    message = "This link is not valid."
    action = "Ask its sender for a complete link, or open the org from the start page."


class ForeignOrigin(DomainError):
    """A page of another site sent a request that would log this browser in."""

    code = "FOREIGN_ORIGIN"
    message = "The request came from a page of another site."
    action = "Send it from a page of this desk, or without an Origin header."
    page_action = "Send it from a page of this desk."
