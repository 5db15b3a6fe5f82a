"""Results of Salesforce calls, as frozen values. No repr shows a token."""

from dataclasses import dataclass, field
from datetime import date

from orgs.salesforce.errors import SalesforceError


@dataclass(frozen=True, slots=True)
class Session:
    """An access token and the instance that accepts it. `org_id` has 18 characters."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The response of the token endpoint.

    `refresh_token` is the next one, if Salesforce sent one. It is kept even if the rest of the response
    is invalid, because the old one is spent; then `session` is None and `fault` says why.
    """

    refresh_token: str | None = field(repr=False)
    session: Session | None
    fault: SalesforceError | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and org of a session."""

    user_id: str
    org_id: str
    username: str


@dataclass(frozen=True, slots=True)
class SandboxCode:
    """An authorization code for a sandbox, and where to exchange it."""

    username: str
    code: str = field(repr=False)
    login_url: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class SandboxState:
    """The newest creation or refresh of a sandbox. `org_id` has 15 characters, or is "" until Salesforce sets it."""

    name: str
    status: str
    org_id: str

    @property
    def is_deleted(self) -> bool:
        """Return True if the sandbox is deleted or being deleted (sfdx-core drops the same rows)."""
        return self.status == "D" or self.status.startswith(("Del", "Discard"))

    @property
    def is_ready(self) -> bool:
        """Return True if users can log in."""
        return self.status == "Completed"


@dataclass(frozen=True, slots=True)
class ScratchOrgRecord:
    """A ScratchOrgInfo row of a DevHub. `auth_url` is the text of the configured field, "" when empty."""

    record_id: str
    org_id: str
    username: str
    status: str
    expires: date | None
    auth_url: str = field(repr=False)
    allocation: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """The Organization row. `trial_expiration` is Salesforce's text, or None."""

    instance_name: str
    is_sandbox: bool
    trial_expiration: str | None
    organization_type: str

    @property
    def kind(self) -> str:
        """Return "production", "sandbox" or "scratch" (sfdx-core, determineOrg.js)."""
        if not self.is_sandbox:
            return "production"
        return "scratch" if self.trial_expiration else "sandbox"
