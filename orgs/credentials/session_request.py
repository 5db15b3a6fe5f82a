"""What a caller of the credential engine passes in, and how the audit records what the client gets."""

from dataclasses import dataclass, field
from typing import Protocol

from authn import audit
from authn.models import AuditEvent
from authn.principals import Principal
from orgs.credentials.errors import OrgError
from orgs.salesforce import AuthUrl, Session


@dataclass(frozen=True, slots=True)
class CreatedGrant:
    """A grant that was just created, the session that came with it, and the user it belongs to."""

    auth_url: AuthUrl = field(repr=False)
    session: Session
    username: str


class GrantCreator(Protocol):
    """Creates a grant for an org that has none of its own, through another org that has one."""

    def __call__(self, deadline: float) -> CreatedGrant:
        """Create a grant before a moment of time.monotonic(), when the refresh lock ends.

        Raises SessionError or SalesforceError, which become the attempt's outcome; ParentUnavailable.
        """


class ParentUnavailable(Exception):
    """The parent org, through which grants are created, gets no session. Says nothing about the org they are for."""

    def __init__(self, error: OrgError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """Who requests a session, of which org, and under which action the audit records that a client gets it.

    `audit_action` is None when the token stays at the desk. `force` refreshes although a permanent failure is
    on record. `submitted_auth_url` is the auth URL that came with the request: its host and client secret are
    newer than the stored ones. `create_grant` creates a grant if there is none or Salesforce refuses it.
    """

    by: Principal
    target: audit.Target | None
    audit_action: audit.Action | None = None
    force: bool = False
    submitted_auth_url: AuthUrl | None = None
    create_grant: GrantCreator | None = None


def result_event(
    request: SessionRequest, code: str = "", *, token: str = "", attempt_id: int | None = None
) -> AuditEvent | None:
    """Return the audit row of an issued token, or of a failure with `code`. None without an `audit_action`.

    `attempt_id` is the id of the audit row of the caller's own attempt, which this row completes.
    """
    if request.audit_action is None:
        return None
    ended = audit.Outcome.FAILED if code else audit.Outcome.GRANTED
    return audit.event(
        request.audit_action,
        ended,
        by=request.by,
        target=request.target,
        code=code,
        token=token,
        attempt_id=attempt_id,
    )


def record_result(request: SessionRequest, code: str = "", *, token: str = "") -> None:
    """Store the audit row of `result_event`, if any. Raises AuditUnavailable."""
    if event := result_event(request, code, token=token):
        audit.record_all([event])
