"""Errors of the credential engine. config/error_statuses.py maps each to an HTTP status.

OrgError
├── CredentialTampered            the stored credential cannot be decrypted, or belongs to another row
├── DeskSealed                    FERNET_KEYS do not decrypt this database
├── SpoolUnavailable              there is no disk space for a response of Salesforce
│   └── SpoolUnreadable           a stored response cannot be read
└── SessionError                  Salesforce issued no session; `code` is one of failure_catalogue.py
    ├── CredentialRefused         Salesforce permanently refuses the stored credential
    │   └── OrgGone               the org is locked, deleted or expired
    ├── GrantRefused              no grant can be created for a sandbox
    │   └── SandboxNotFound       the production org has no sandbox of this name
    ├── SalesforceRefused         Salesforce refused the request, or its response cannot be trusted
    ├── SalesforceLimited         no more log-ins for now
    ├── SalesforceUnavailable     a temporary failure
    └── SalesforceTimedOut        no response in time
"""

from collections.abc import Iterable

from authn.errors import DomainError


class OrgError(DomainError):
    """Base of the errors about one org or credential. Work on many orgs records one and goes on with the next."""


class CredentialTampered(OrgError):
    """The stored credential cannot be decrypted, or belongs to another row or org."""

    code = "CREDENTIAL_TAMPERED"
    message = "The stored credential does not belong to this org, or cannot be decrypted."
    action = (
        "If FERNET_KEYS was changed, an operator must append the old key to it. Otherwise the database was "
        "modified: find out how, then register this org again with a new auth URL, or delete it."
    )


class DeskSealed(OrgError):
    """None of FERNET_KEYS decrypts the hash key that the first migration stored."""

    code = "SEALED"
    message = "The desk is sealed: its FERNET_KEYS do not decrypt this database."
    action = "An operator must add the key that encrypted this database to FERNET_KEYS and restart the desk."
    retry_after: int | None = 30


class SpoolUnavailable(OrgError):
    """There is no room on disk for a response of Salesforce, so no request was sent."""

    code = "SPOOL_UNAVAILABLE"
    message = "The desk cannot store the next refresh token on disk, so it sent no request to Salesforce."
    action = "An operator must make SPOOL_DIR writable and free disk space for it."
    retry_after: int | None = 30


class SpoolUnreadable(SpoolUnavailable):
    """A spool file that may hold the newest refresh token cannot be read."""

    code = "SPOOL_UNREADABLE"
    message = "A response of Salesforce for this org in SPOOL_DIR is unreadable: {names}."
    action = (
        "An operator must make the file readable (owner, mode 0600, the FERNET_KEYS it was written with). If that is "
        "impossible, delete it and register the org again with a new auth URL."
    )

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(names=", ".join(names))


class SessionError(OrgError):
    """Salesforce issued no session. `code` says why; `retry_after` is in seconds.

    `detail` is the part of the message that only this failure has: a host, an error code of Salesforce.
    """

    def __init__(
        self,
        code: str,
        message: str,
        action: str,
        retry_after: int | None = None,
        *,
        page_action: str = "",
        detail: str = "",
    ) -> None:
        text = f"{message} {detail}".strip()
        super().__init__(text, code=code, action=action, page_action=page_action, retry_after=retry_after)
        self.detail = detail


class GrantRefused(SessionError):
    """No grant can be created for a sandbox through its production org; an owner must act."""


class SandboxNotFound(GrantRefused):
    """The production org has no sandbox of this name."""


class CredentialRefused(SessionError):
    """Salesforce permanently refuses the stored credential; an owner must act."""


class OrgGone(CredentialRefused):
    """The org is locked, deleted or expired."""


class SalesforceRefused(SessionError):
    """Salesforce refused the request, or its response cannot be read or trusted."""


class SalesforceLimited(SessionError):
    """Salesforce's limit for log-ins, or the desk's own below it, is reached for now."""


class SalesforceUnavailable(SessionError):
    """A temporary failure: try again after `retry_after` seconds."""


class SalesforceTimedOut(SessionError):
    """Salesforce did not respond in time."""
