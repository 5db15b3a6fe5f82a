"""A session of an org together with the function that gets another one."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from authn import audit
from authn.principals import Principal
from orgs.credentials import SessionRequest, error_for
from orgs.models import SalesforceOrg
from orgs.org_sessions import session_for
from orgs.salesforce import Session


@dataclass(frozen=True, slots=True)
class OrgSession:
    """A session of a registered org, a pool instance, a sandbox or a scratch org.

    `refresh` returns a new session when Salesforce does not accept this one. `target` is
    the org in the audit. `reused` says that the session was
    issued before, because the login budget is spent.
    """

    username: str
    session: Session
    credential_id: uuid.UUID
    refresh: Callable[[], Session]
    target: audit.Target
    reused: bool = False


def registered_session(org: SalesforceOrg, *, by: Principal, audit_action: audit.Action | None = None) -> OrgSession:
    """Return a session of a registered org. Raises what session_for raises."""
    issued = session_for(org, SessionRequest(by=by, target=org.audit_target, audit_action=audit_action))
    # Read after session_for: a registration may have replaced the credential meanwhile.
    credential_id = SalesforceOrg.objects.values_list("credential_id", flat=True).get(pk=org.pk)
    if credential_id is None:
        raise error_for("REFRESH_IN_PROGRESS")
    return OrgSession(
        org.username, issued.session, credential_id, partial(_refresh, org, by), org.audit_target, issued.reused
    )


def _refresh(org: SalesforceOrg, by: Principal) -> Session:
    return session_for(org, SessionRequest(by=by, target=org.audit_target)).session
