"""Errors of registered orgs. config/error_statuses.py maps each to an HTTP status.

OrgError (orgs/credentials/errors.py)
├── OrgNotFound, NoDefaultDevHub           the org is not registered, or no default is set
├── AmbiguousSandbox, HasChildren          the caller must name one org, or confirm a cascade
├── InvalidRequest                         the request cannot be carried out; nothing was changed
│   ├── RegistrationRefused                the auth URL is invalid, or Salesforce contradicts the request
│   │   ├── InvalidSfdxAuthUrl, RedactedSfdxAuthUrl, InvalidInstanceUrl
│   │   ├── UsernameMismatch (StoredUsernameMismatch), NotADevHub
│   │   └── SkipValidationOff, UsernameNeeded
│   └── InvalidChange                      the change would leave an invalid row
│       ├── DefaultNeedsDevHub, DefaultWouldBeLost, UnverifiedDefault
│       └── AlreadyVerified, AuthUrlInUse
├── CredentialsForbidden                   a member requested a credential of a registered org
├── AuthUrlReleaseOff                      ALLOW_AUTH_URL_RELEASE is off
├── NoAuthUrl, CredentialRotates           there is no auth URL to release, or a second holder would invalidate it
└── OrgUnverified                          the org was registered without validation
"""

from collections.abc import Iterable
from typing import Self

from authn.errors import RoleRequired
from authn.roles import Role
from orgs.credentials.errors import OrgError

_SHOW_COMMAND = "`sf org auth show-sfdx-auth-url -o <alias> --json`"


class OrgNotFound(OrgError):
    """No registered org has this username or sandbox name."""

    code = "ORG_NOT_FOUND"
    message = "No registered org is named {identifier!r}."
    action = "List the registered orgs with GET /sfp/api/auth/salesforce/orgs, or register this org."
    page_action = "Check the name. An owner can register the org in the console."

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier=identifier)


class NoDefaultDevHub(OrgError):
    """No org is marked as the default DevHub."""

    code = "NO_DEFAULT_DEVHUB"
    message = "No default DevHub is set."
    action = 'An owner can set one: PATCH /sfp/api/auth/salesforce/org?username=... {"isDefault": true}.'
    page_action = "An owner can set one on the page of a DevHub in the console."


class AmbiguousSandbox(OrgError):
    """Several registered sandboxes have this name."""

    code = "AMBIGUOUS_SANDBOX"
    message = "The sandbox name {name!r} belongs to several orgs: {usernames}."
    action = "Send the username of the org."
    page_action = "Open it by its username."

    def __init__(self, name: str, usernames: Iterable[str]) -> None:
        super().__init__(name=name, usernames=", ".join(sorted(usernames)))


class HasChildren(OrgError):
    """Other orgs depend on this org for their access to Salesforce."""

    code = "HAS_CHILDREN"
    message = "{username} is the parent of: {children}."
    action = "Delete these first, or send cascade=true to delete them too."
    page_action = "Reload the page to confirm that these orgs are deleted too."

    def __init__(self, username: str, children: Iterable[str]) -> None:
        super().__init__(username=username, children=", ".join(sorted(children)))


class InvalidRequest(OrgError):
    """The request cannot be carried out. `code` says why. Nothing was changed."""


# --- Registration ------------------------------------------------------------------------------------


class RegistrationRefused(InvalidRequest):
    """The auth URL is invalid, or Salesforce contradicts the request."""

    @classmethod
    def of(cls, error: OrgError, advice: str = "") -> Self:
        """Return a refusal with the code and the texts of an error that registration reports as invalid input."""
        return cls(f"{error}{advice}", code=error.code, action=error.action, page_action=error.page_action)


class InvalidSfdxAuthUrl(RegistrationRefused):
    """The text is not an acceptable auth URL. The message of the error says why, and never quotes it."""

    code = "INVALID_SFDX_AUTH_URL"
    message = "The text is not the auth URL of a Salesforce org."
    action = f"Send the value of result.sfdxAuthUrl from the output of {_SHOW_COMMAND}."
    page_action = f"Paste the output of {_SHOW_COMMAND}."


class RedactedSfdxAuthUrl(InvalidSfdxAuthUrl):
    """The text is the placeholder that the CLI prints in place of an auth URL."""

    code = "REDACTED_SFDX_AUTH_URL"
    message = "The auth URL is redacted."
    action = page_action = f"The CLI hides the auth URL in `sf org display`. Run {_SHOW_COMMAND}."


class InvalidInstanceUrl(RegistrationRefused):
    """The instance URL is malformed, or its host is not one of Salesforce's. The message of the error says which."""

    code = "INVALID_INSTANCE_URL"
    message = "The instance URL is not the URL of a Salesforce org."
    action = "Omit instanceUrl: Salesforce returns it."
    page_action = "Leave the instance URL empty: Salesforce returns it."


class UsernameMismatch(RegistrationRefused):
    """The auth URL belongs to another user than the expected one."""

    code = "USERNAME_MISMATCH"
    message = "The auth URL belongs to {username}."
    action = "Send that username, or omit it."
    page_action = "Enter that username, or leave the field empty."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class StoredUsernameMismatch(RegistrationRefused):
    """An org that was registered without validation has the auth URL of another user."""

    code = UsernameMismatch.code
    message = "The stored auth URL belongs to {found}, not to {username}."
    action = "Delete this org, and register the auth URL again with validation."

    def __init__(self, found: str, username: str) -> None:
        super().__init__(found=found, username=username)


class NotADevHub(RegistrationRefused):
    """The org was to be registered as a DevHub and is not one."""

    code = "NOT_A_DEVHUB"
    message = "The org of {username} is not a DevHub."
    action = "Enable Dev Hub in Setup, or omit isDevHub."
    page_action = "Enable Dev Hub in the org's Setup, or clear this checkbox."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class SkipValidationOff(RegistrationRefused):
    """The operator has not enabled registration without validation."""

    code = "SKIP_VALIDATION_OFF"
    message = "Registration without validation is disabled."
    action = "Omit skipValidation. An operator can set ALLOW_SKIP_VALIDATION."
    page_action = "Register the org with validation. An operator can set ALLOW_SKIP_VALIDATION."


class UsernameNeeded(RegistrationRefused):
    """Without validation, Salesforce does not return the username."""

    code = "USERNAME_NEEDED"
    message = "Registration without validation requires a username."
    action = "Send username."
    page_action = "Enter the username."


# --- Changes -----------------------------------------------------------------------------------------


class InvalidChange(InvalidRequest):
    """The change would leave an invalid row, such as a default that is not a DevHub."""


class DefaultNeedsDevHub(InvalidChange):
    """The default DevHub must be a DevHub."""

    code = "DEFAULT_NEEDS_DEVHUB"
    message = "Only a DevHub can be the default DevHub."
    action = "Send isDevHub=true as well, if this org is a DevHub."
    page_action = "Select DevHub as well, if this org is a DevHub."


class DefaultWouldBeLost(InvalidChange):
    """The default DevHub was to be a DevHub no longer, and nothing was said of the default."""

    code = DefaultNeedsDevHub.code
    message = "{username} is the default DevHub."
    action = "Make another DevHub the default first, or send isDefault=false as well."
    page_action = (
        "Make another DevHub the default first, or clear Default DevHub as well: then there is no default DevHub."
    )

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class UnverifiedDefault(InvalidChange):
    """The default DevHub must have been verified with Salesforce."""

    code = "UNVERIFIED_DEFAULT"
    message = "An unverified org cannot be the default DevHub."
    action = "Test its connection first: POST /sfp/api/auth/salesforce/test-connection?username=..."
    page_action = "Test its connection first."


class AlreadyVerified(InvalidChange):
    """A verified org cannot be registered without validation."""

    code = "ALREADY_VERIFIED"
    message = "{username} is registered and verified."
    action = "Register it without skipValidation."
    page_action = "Register it with validation."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class AuthUrlInUse(InvalidChange):
    """The credential of the auth URL belongs to another row."""

    code = "AUTH_URL_IN_USE"
    message = "This auth URL belongs to another org."
    action = "Omit skipValidation."
    page_action = "Register it with validation."


# --- Release of credentials --------------------------------------------------------------------------


class CredentialsForbidden(OrgError):
    """A member requested a credential of a registered org."""

    code = "CREDENTIALS_FORBIDDEN"
    message = str(RoleRequired((Role.OWNER, Role.APPLICATION)))
    action = "Omit `authType` and `includeSfdxAuthUrl`, or use an owner's token or an application token."
    page_action = "Ask an owner, or use an application token."


class AuthUrlReleaseOff(OrgError):
    """The operator disabled the release of auth URLs."""

    code = "AUTH_URL_RELEASE_OFF"
    message = "The release of auth URLs is disabled."
    action = "Use an access token instead. An operator can set ALLOW_AUTH_URL_RELEASE."


class NoAuthUrl(OrgError):
    """A sandbox that was registered by name has no auth URL."""

    code = "NO_AUTH_URL"
    message = "{username} was registered by its sandbox name and has no auth URL."
    action = "Use an access token instead."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class CredentialRotates(OrgError):
    """Salesforce replaces the refresh token at each use: with a second holder, both would lose access."""

    code = "CREDENTIAL_ROTATES"
    message = "Salesforce replaces the refresh token of {username} at each use, so it cannot be shared."
    action = NoAuthUrl.action

    def __init__(self, username: str) -> None:
        super().__init__(username=username)


class OrgUnverified(OrgError):
    """The org was registered without validation, and its connection was not tested since."""

    code = "ORG_UNVERIFIED"
    message = "{username} was registered without validation and has not been tested since."
    action = "An owner can verify it: POST /sfp/api/auth/salesforce/test-connection?username=..."
    page_action = "An owner can verify it: test its connection in the console."

    def __init__(self, username: str) -> None:
        super().__init__(username=username)
