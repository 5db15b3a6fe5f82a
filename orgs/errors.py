"""Errors of registered orgs. They know no HTTP; config/exceptions.py gives each a status.

OrgError (orgs/credentials/errors.py)
├── OrgNotFound, NoDefaultDevHub           no such org is registered
├── AmbiguousSandbox, HasChildren          the caller must name one org, or agree to delete more
├── InvalidRequest                         the request cannot be carried out; `code` says why
│   ├── RegistrationRefused                the auth URL, or what Salesforce says of it, is not valid
│   └── InvalidChange                      the change would leave an invalid row
├── CredentialsForbidden, AuthUrlReleaseOff
├── NoAuthUrl, CredentialRotates           there is no auth URL to release, or releasing it would end it
└── OrgUnverified                          the org was stored without asking Salesforce
"""

from collections.abc import Iterable

from orgs.credentials.errors import OrgError


class OrgNotFound(OrgError):
    """No registered org has this username or sandbox name."""

    code = "ORG_NOT_FOUND"
    action = "List the registered orgs with GET /sfp/api/auth/salesforce/orgs, or register this one."

    def __init__(self, identifier: str) -> None:
        super().__init__(f"No registered org is named {identifier!r}.")


class NoDefaultDevHub(OrgError):
    """No org is marked as the default DevHub."""

    code = "NO_DEFAULT_DEVHUB"
    action = 'An owner can set one: PATCH /sfp/api/auth/salesforce/org?username=... {"isDefault": true}.'

    def __init__(self) -> None:
        super().__init__("No default DevHub is set.")


class AmbiguousSandbox(OrgError):
    """Several orgs have a sandbox of this name; none is picked by chance."""

    code = "AMBIGUOUS_SANDBOX"

    def __init__(self, name: str, usernames: Iterable[str]) -> None:
        listed = ", ".join(sorted(usernames))
        super().__init__(f"The sandbox name {name!r} belongs to several orgs: {listed}.")
        self.action = "Name the org by its username."


class HasChildren(OrgError):
    """Other orgs reach Salesforce through this one."""

    code = "HAS_CHILDREN"
    action = "Delete those first, or send cascade=true to delete them too."

    def __init__(self, username: str, children: Iterable[str]) -> None:
        super().__init__(f"{username} is the parent of: {', '.join(sorted(children))}.")


class InvalidRequest(OrgError):
    """The request cannot be carried out as it stands. `code` says why. Nothing was changed."""

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(message, code=code, action=action)


class RegistrationRefused(InvalidRequest):
    """The auth URL, or what Salesforce says of it, is not valid."""


class InvalidChange(InvalidRequest):
    """The change would leave an invalid row, such as a default that is no DevHub."""


class CredentialsForbidden(OrgError):
    """A member asked for credentials of a registered org."""

    code = "CREDENTIALS_FORBIDDEN"
    action = "Leave `authType` and `includeSfdxAuthUrl` out, or ask as an owner or with an application token."

    def __init__(self) -> None:
        super().__init__("Forbidden - Requires role: owner, application")


class AuthUrlReleaseOff(OrgError):
    """This desk hands out no auth URLs."""

    code = "AUTH_URL_RELEASE_OFF"
    action = "Use an access token instead; an operator can set ALLOW_AUTH_URL_RELEASE."

    def __init__(self) -> None:
        super().__init__("This desk does not hand out auth URLs.")


class NoAuthUrl(OrgError):
    """A sandbox that was registered by name has no auth URL."""

    code = "NO_AUTH_URL"
    action = "Use an access token instead."

    def __init__(self, username: str) -> None:
        super().__init__(f"{username} was registered by its sandbox name and has no auth URL.")


class CredentialRotates(OrgError):
    """The refresh token changes at each use; a second holder would end it for both."""

    code = "CREDENTIAL_ROTATES"
    action = "Use an access token instead."

    def __init__(self, username: str) -> None:
        super().__init__(f"The refresh token of {username} changes at each use, so it cannot be shared.")


class OrgUnverified(OrgError):
    """The org was stored without asking Salesforce, and nobody has asked since."""

    code = "ORG_UNVERIFIED"
    action = "An owner can verify it: POST /sfp/api/auth/salesforce/test-connection?username=..."

    def __init__(self, username: str) -> None:
        super().__init__(f"{username} was registered without validation and was never tested.")
