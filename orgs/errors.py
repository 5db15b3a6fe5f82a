"""What can go wrong with registered orgs. These know no HTTP; config/errors.py gives each a status.

OrgsError
├── OrgNotFound, NoDefaultDevHub           nothing of this name is registered
├── AmbiguousSandbox, HasChildren          an owner must say which, or agree to more
├── Refused
│   ├── RegistrationRefused                what was sent, or what Salesforce said of it, is not good
│   └── InvalidChange                      a change that would leave a wrong row
├── CredentialsForbidden, AuthUrlReleaseOff
├── NoAuthUrl, CredentialRotates           there is no auth URL to give, or giving it would kill it
├── OrgUnverified, CredentialTampered      there is no key that may be used
├── DeskSealed                             FERNET_KEYS do not match the database
├── SpoolUnavailable                       the desk's disk has no room for an answer
│   └── SpoolUnreadable                    a response on the desk's disk cannot be read
└── SessionError                           Salesforce gave no session; `code` says why (orgs/endings.py)
    ├── KeyNotMade                         a production org gave no key for its sandbox
    │   └── SandboxNotFound                it has no such sandbox
    ├── CredentialRefused                  an owner must act on the stored credential
    │   └── OrgGone                        the org is no more
    ├── SalesforceRefused                  Salesforce said no to the desk, or lied
    ├── SalesforceLimited                  too many log-ins
    ├── SalesforceUnavailable              try again after `retry_after` seconds
    └── SalesforceTimedOut                 no answer in time
"""

from collections.abc import Iterable


class OrgsError(Exception):
    """An error with a machine code, a message, and what its reader can do."""

    code = "ORGS_ERROR"
    action = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class OrgNotFound(OrgsError):
    """No registered org has this username or sandbox name."""

    code = "ORG_NOT_FOUND"
    action = "List the registered orgs with GET /sfp/api/auth/salesforce/orgs, or register this one."

    def __init__(self, identifier: str) -> None:
        super().__init__(f"No registered org is named {identifier!r}.")


class NoDefaultDevHub(OrgsError):
    """No org is marked as the default DevHub."""

    code = "NO_DEFAULT_DEVHUB"
    action = 'An owner can set one: PATCH /sfp/api/auth/salesforce/org?username=... {"isDefault": true}.'

    def __init__(self) -> None:
        super().__init__("No default DevHub is set.")


class AmbiguousSandbox(OrgsError):
    """Several orgs have a sandbox of this name; none is picked by chance."""

    code = "AMBIGUOUS_SANDBOX"

    def __init__(self, name: str, usernames: Iterable[str]) -> None:
        listed = ", ".join(sorted(usernames))
        super().__init__(f"The sandbox name {name!r} belongs to several orgs: {listed}.")
        self.action = "Name the org by its username."


class HasChildren(OrgsError):
    """Other orgs reach Salesforce through this one."""

    code = "HAS_CHILDREN"
    action = "Delete those first, or send cascade=true to delete them too."

    def __init__(self, username: str, children: Iterable[str]) -> None:
        super().__init__(f"{username} is the parent of: {', '.join(sorted(children))}.")


class Refused(OrgsError):
    """What was asked for cannot be: `code` tells why. Nothing was changed."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(message)
        self.code = code
        self.action = action


class RegistrationRefused(Refused):
    """An auth URL, or what Salesforce says of it, is not good."""


class InvalidChange(Refused):
    """The change would leave a row that cannot be, such as a default that is no DevHub."""


class CredentialsForbidden(OrgsError):
    """A member asked for credentials of a registered org."""

    code = "CREDENTIALS_FORBIDDEN"
    action = "Leave `authType` and `includeSfdxAuthUrl` out, or ask as an owner or with an application token."

    def __init__(self) -> None:
        super().__init__("Forbidden - Requires role: owner, application")


class AuthUrlReleaseOff(OrgsError):
    """This desk hands out no auth URLs."""

    code = "AUTH_URL_RELEASE_OFF"
    action = "Use an access token instead; an operator can set ALLOW_AUTH_URL_RELEASE."

    def __init__(self) -> None:
        super().__init__("This desk does not hand out auth URLs.")


class NoAuthUrl(OrgsError):
    """A sandbox that was registered by name has no auth URL."""

    code = "NO_AUTH_URL"
    action = "Use an access token instead."

    def __init__(self, username: str) -> None:
        super().__init__(f"{username} was registered by its sandbox name and has no auth URL.")


class CredentialRotates(OrgsError):
    """The refresh token changes at each use; a second holder would end it for both."""

    code = "CREDENTIAL_ROTATES"
    action = "Use an access token instead."

    def __init__(self, username: str) -> None:
        super().__init__(f"The refresh token of {username} changes at each use, so it cannot be shared.")


class OrgUnverified(OrgsError):
    """The org was stored without asking Salesforce, and nobody has asked since."""

    code = "ORG_UNVERIFIED"
    action = "An owner can verify it: POST /sfp/api/auth/salesforce/test-connection?username=..."

    def __init__(self, username: str) -> None:
        super().__init__(f"{username} was registered without validation and was never tested.")


class CredentialTampered(OrgsError):
    """The stored key cannot be read, or belongs to another row or org."""

    code = "CREDENTIAL_TAMPERED"
    action = (
        "An owner must register this org again with a new auth URL, or delete it. "
        "If FERNET_KEYS was changed, put the old key back behind the new one. "
        "Otherwise somebody wrote to the database: find out who."
    )

    def __init__(self) -> None:
        super().__init__("The stored credential does not belong to this org, or cannot be decrypted.")


class DeskSealed(OrgsError):
    """None of FERNET_KEYS decrypts the key that the first migration stored."""

    code = "SEALED"
    action = "An operator must add the key that encrypted this database to FERNET_KEYS and restart the desk."
    retry_after = 30

    def __init__(self) -> None:
        super().__init__("The desk is sealed: its FERNET_KEYS do not decrypt this database.")


class SpoolUnavailable(OrgsError):
    """There is no room on disk for Salesforce's answer, so Salesforce was not asked."""

    code = "SPOOL_UNAVAILABLE"
    action = "An operator must see that SPOOL_DIR can be written to and has room."
    retry_after = 30

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
        OrgsError.__init__(self, f"A response of Salesforce for this org lies unread in SPOOL_DIR: {', '.join(names)}.")


class SessionError(OrgsError):
    """Salesforce gave no session. `code` says why, `retry_after` when to ask again, in seconds."""

    def __init__(self, code: str, message: str, action: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.action = action
        self.retry_after = retry_after
        # Whoever raises it has just been told by Salesforce; others adopt it, or find it on record.
        self.is_news = False


class KeyNotMade(SessionError):
    """No key could be made for a sandbox through its production org; an owner must act."""


class SandboxNotFound(KeyNotMade):
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
