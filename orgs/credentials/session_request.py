"""What the credential engine is told of a request for a session."""

from dataclasses import dataclass, field
from typing import Protocol

from authn import audit
from authn.principals import Principal
from orgs.salesforce import AuthUrl, Session


@dataclass(frozen=True, slots=True)
class CreatedGrant:
    """A grant that was just made, the session that came with it, and whose they are."""

    auth_url: AuthUrl = field(repr=False)
    session: Session
    username: str


class GrantCreator(Protocol):
    """Makes a key for an org that has none of its own, through another org that has."""

    def __call__(self, deadline: float) -> CreatedGrant:
        """Make a key before a moment of time.monotonic(), when the lease ends.

        Raises SessionError or SalesforceError, which become the attempt's outcome; KeyMakerFailed.
        """


class ParentUnavailable(Exception):
    """The org that keys are made through has no session. That says nothing of the org they are for."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """Who asks for a session, for which org, and how the audit shall call what is handed out.

    `handing_out` is None when the token stays at the desk. `offered` is the auth URL that came
    with the request: its host and client secret are newer than the stored ones. `make_key` makes
    a key where there is none, or where the one there was is refused.
    """

    by: Principal
    org: str
    audit_action: audit.Action | None = None
    force: bool = False
    submitted_auth_url: AuthUrl | None = None
    create_grant: GrantCreator | None = None
