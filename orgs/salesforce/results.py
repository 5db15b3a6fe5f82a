"""What Salesforce tells us, as frozen values. No repr shows a token."""

from dataclasses import dataclass, field
from datetime import datetime

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
