"""Errors of the credential engine."""

from collections.abc import Iterable

from authn.errors import DomainError


class OrgError(DomainError):
    """Base of the errors about one org or credential. Work on many orgs records one and goes on with the next."""


class CredentialTampered(OrgError):
    """The stored key cannot be read, or belongs to another row or org."""

    code = "CREDENTIAL_TAMPERED"
    action = (
        "An owner must register this org again with a new auth URL, or delete it. "
        "If FERNET_KEYS was changed, put the old key back behind the new one. "
        "Otherwise somebody wrote to the database: find out who."
    )

    def __init__(self) -> None:
        super().__init__("The stored credential does not belong to this org, or cannot be decrypted.")


class DeskSealed(OrgError):
    """None of FERNET_KEYS decrypts the key that the first migration stored."""

    code = "SEALED"
    action = "An operator must add the key that encrypted this database to FERNET_KEYS and restart the desk."
    retry_after: int | None = 30

    def __init__(self) -> None:
        super().__init__("The desk is sealed: its FERNET_KEYS do not decrypt this database.")


class SpoolUnavailable(OrgError):
    """There is no room on disk for Salesforce's answer, so Salesforce was not asked."""

    code = "SPOOL_UNAVAILABLE"
    action = "An operator must see that SPOOL_DIR can be written to and has room."
    retry_after: int | None = 30

    def __init__(self) -> None:
        super().__init__("The desk has no room to keep the next refresh token safe, so it asked for none.")


class SpoolUnreadable(SpoolUnavailable):
    """A response that may hold the newest refresh token lies on disk and cannot be read."""

    code = "SPOOL_UNREADABLE"
    action = (
        "An operator must make the file readable (owner, mode 0600, the FERNET_KEYS it was written with). If that is "
        "impossible, delete it and register the org again with a new auth URL."
    )

    def __init__(self, names: Iterable[str]) -> None:
        OrgError.__init__(self, f"A response of Salesforce for this org lies unread in SPOOL_DIR: {', '.join(names)}.")


class SessionError(OrgError):
    """Salesforce gave no session. `code` says why, `retry_after` when to ask again, in seconds."""

    def __init__(self, code: str, message: str, action: str, retry_after: int | None = None) -> None:
        super().__init__(message, code=code, action=action, retry_after=retry_after)


class GrantRefused(SessionError):
    """No key could be made for a sandbox through its production org; an owner must act."""


class SandboxNotFound(GrantRefused):
    """The production org has no sandbox of this name."""


class CredentialRefused(SessionError):
    """Salesforce no longer takes the stored credential; an owner must act."""


class OrgGone(CredentialRefused):
    """The org was locked or deleted, or its trial is over."""


class SalesforceRefused(SessionError):
    """Salesforce refused the desk, or its answer cannot be believed."""


class SalesforceLimited(SessionError):
    """Salesforce, or the desk for its sake, allows no more log-ins for now."""


class SalesforceUnavailable(SessionError):
    """Something temporary is in the way."""


class SalesforceTimedOut(SessionError):
    """Salesforce did not answer in time."""
