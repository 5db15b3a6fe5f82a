"""Errors of registered orgs. config/exceptions.py maps each to an HTTP status.

OrgError (orgs/credentials/errors.py)
├── OrgNotFound, NoDefaultDevHub           the org is not registered, or no default is set
├── AmbiguousSandbox, HasChildren          the caller must name one org, or confirm a cascade
├── InvalidRequest                         the request cannot be carried out; `code` says why
│   ├── RegistrationRefused                the auth URL is invalid, or Salesforce contradicts the request
│   └── InvalidChange                      the change would leave an invalid row
├── CredentialsForbidden                   a member requested a credential of a registered org
├── AuthUrlReleaseOff                      ALLOW_AUTH_URL_RELEASE is off
├── NoAuthUrl, CredentialRotates           there is no auth URL to release, or a second holder would invalidate it
└── OrgUnverified                          the org was registered without validation
"""

from collections.abc import Iterable

from orgs.credentials.errors import OrgError


class OrgNotFound(OrgError):
    """No registered org has this username or sandbox name."""

    code = "ORG_NOT_FOUND"
    action = "List the registered orgs with GET /sfp/api/auth/salesforce/orgs, or register this org."

    def __init__(self, identifier: str) -> None:
        super().__init__(f"No registered org is named {identifier!r}.")


class NoDefaultDevHub(OrgError):
    """No org is marked as the default DevHub."""

    code = "NO_DEFAULT_DEVHUB"
    action = 'An owner can set one: PATCH /sfp/api/auth/salesforce/org?username=... {"isDefault": true}.'

    def __init__(self) -> None:
        super().__init__("No default DevHub is set.")


class AmbiguousSandbox(OrgError):
    """Several registered sandboxes have this name."""

    code = "AMBIGUOUS_SANDBOX"

    def __init__(self, name: str, usernames: Iterable[str]) -> None:
        listed = ", ".join(sorted(usernames))
        super().__init__(f"The sandbox name {name!r} belongs to several orgs: {listed}.")
        self.action = "Send the username of the org."


class HasChildren(OrgError):
    """Other orgs depend on this org for their access to Salesforce."""

    code = "HAS_CHILDREN"
    action = "Delete these first, or send cascade=true to delete them too."

    def __init__(self, username: str, children: Iterable[str]) -> None:
        super().__init__(f"{username} is the parent of: {', '.join(sorted(children))}.")


class InvalidRequest(OrgError):
    """The request cannot be carried out. `code` says why. Nothing was changed."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(message, code=code, action=action)


class RegistrationRefused(InvalidRequest):
    """The auth URL is invalid, or Salesforce contradicts the request."""


class InvalidChange(InvalidRequest):
    """The change would leave an invalid row, such as a default that is not a DevHub."""


class CredentialsForbidden(OrgError):
    """A member requested a credential of a registered org."""

    code = "CREDENTIALS_FORBIDDEN"
    action = "Omit `authType` and `includeSfdxAuthUrl`, or use an owner's token or an application token."

    def __init__(self) -> None:
        super().__init__("Forbidden - Requires role: owner, application")


class AuthUrlReleaseOff(OrgError):
    """The operator disabled the release of auth URLs."""

    code = "AUTH_URL_RELEASE_OFF"
    action = "Use an access token instead. An operator can set ALLOW_AUTH_URL_RELEASE."

    def __init__(self) -> None:
        super().__init__("The release of auth URLs is disabled.")


class NoAuthUrl(OrgError):
    """A sandbox that was registered by name has no auth URL."""

    code = "NO_AUTH_URL"
    action = "Use an access token instead."

    def __init__(self, username: str) -> None:
        super().__init__(f"{username} was registered by its sandbox name and has no auth URL.")


class CredentialRotates(OrgError):
    """Salesforce replaces the refresh token at each use: with a second holder, both would lose access."""

    code = "CREDENTIAL_ROTATES"
    action = "Use an access token instead."

    def __init__(self, username: str) -> None:
        super().__init__(f"Salesforce replaces the refresh token of {username} at each use, so it cannot be shared.")


class OrgUnverified(OrgError):
    """The org was registered without validation, and its connection was not tested since."""

    code = "ORG_UNVERIFIED"
    action = "An owner can verify it: POST /sfp/api/auth/salesforce/test-connection?username=..."

    def __init__(self, username: str) -> None:
        super().__init__(f"{username} was registered without validation and has not been tested since.")
