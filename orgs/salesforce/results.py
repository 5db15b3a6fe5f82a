"""What Salesforce tells us, as frozen values. No repr shows a token."""

from dataclasses import dataclass, field
from datetime import date, datetime

from orgs.salesforce.errors import SalesforceError


@dataclass(frozen=True, slots=True)
class Session:
    """A short-lived session: an access token and where it is good. `org_id` has 18 characters."""

    access_token: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The answer to a refresh.

    `refresh_token` is the next one, where Salesforce sent one: it is kept whatever else is wrong
    with the answer, because the old one is spent. Then `session` is None and `fault` says why.
    """

    refresh_token: str | None = field(repr=False)
    session: Session | None
    fault: SalesforceError | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose session it is."""

    user_id: str
    org_id: str
    username: str


@dataclass(frozen=True, slots=True)
class SandboxCode:
    """A code that a production org gives for one of its sandboxes, and where to trade it for a grant."""

    username: str
    code: str = field(repr=False)
    login_url: str
    callback_url: str


@dataclass(frozen=True, slots=True)
class SandboxState:
    """The newest creation or refresh of a sandbox. `org_id` has 15 characters, or is "" before it has one."""

    name: str
    status: str
    org_id: str

    @property
    def is_deleted(self) -> bool:
        """Tell whether the sandbox is gone, or on its way (sfdx-core drops the same rows)."""
        return self.status == "D" or self.status.startswith(("Del", "Discard"))

    @property
    def is_ready(self) -> bool:
        """Tell whether one can log in."""
        return self.status == "Completed"


@dataclass(frozen=True, slots=True)
class ScratchOrgRecord:
    """A ScratchOrgInfo row of a DevHub. `auth_url` is the text in the field for it, "" when empty."""

    record_id: str
    org_id: str
    username: str
    status: str
    expires: date | None
    login_url: str
    auth_url: str = field(repr=False)
    allocation: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """The facts of the Organization row. `trial_expiration` is Salesforce's text or None."""

    name: str
    instance_name: str
    is_sandbox: bool
    trial_expiration: str | None
    namespace_prefix: str | None
    organization_type: str

    @property
    def kind(self) -> str:
        """Return "production", "sandbox" or "scratch" (sfdx-core, determineOrg.js)."""
        if not self.is_sandbox:
            return "production"
        return "scratch" if self.trial_expiration else "sandbox"
