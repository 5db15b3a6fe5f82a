"""Opens a sandbox that nobody registered, through its production org."""

from functools import partial

from django.db.models import Q

from authn import audit
from authn.principals import Principal
from orgs.credentials import (
    GrantRefused,
    IssuedSession,
    OrgError,
    SessionRequest,
    error_for,
    open_session,
    retry_when_gone,
)
from orgs.models import SalesforceOrg
from orgs.org_sessions import ParentSessions
from orgs.salesforce import Session, host_of, my_domain
from orgs.sandbox_grants import SandboxGrantCreator
from sandboxes.errors import AlreadyRegistered
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand.grants import drop_if_empty, grant_for, touch
from sandboxes.on_demand.org_session import OrgSession


def sandbox_session(
    parent: SalesforceOrg, name: str, *, by: Principal, audit_action: audit.Action | None = None, register: bool = False
) -> OrgSession:
    """Return a fresh session of a sandbox: by the grant that was created for it before, or by a new one.

    The first time calls Salesforce twice (sandboxAuth, code exchange), later once. `register` says
    that it is being registered: then it may be a registered org. Raises AlreadyRegistered,
    SessionError.
    """
    admit = _allow_any if register else _refuse_if_registered

    def work() -> OrgSession:
        grant, credential = grant_for(parent, name)
        admit(grant.org_id)
        creator = SandboxGrantCreator(
            parent=parent,
            parent_sessions=partial(ParentSessions, parent, by),
            sandbox_name=name,
            credential_id=credential.pk,
            admit=admit,
        )
        org = f"{grant.name} of {parent.username}"
        try:
            issued = open_session(
                credential, SessionRequest(by=by, org=org, audit_action=audit_action, create_grant=creator)
            )
        except OrgError as error:
            drop_if_empty(credential)
            raise creator.explain(error) from error
        # A caller who waited adopts a session that was requested with other permissions.
        admit(issued.session.org_id)
        touch(grant)
        return _org_session(grant, issued, partial(_reopen, parent, name, by, register))

    return retry_when_gone(work)


def sandbox_session_through_any(
    parents: list[SalesforceOrg], name: str, *, by: Principal, audit_action: audit.Action | None = None
) -> tuple[SalesforceOrg, OrgSession]:
    """Open a sandbox by whichever user of its production org made it. Raises what open_sandbox raises."""
    *others, last = parents
    for parent in others:
        try:
            return parent, sandbox_session(parent, name, by=by, audit_action=audit_action)
        except GrantRefused as error:
            if error.code != "SANDBOX_AUTH_REFUSED":
                raise
    return last, sandbox_session(last, name, by=by, audit_action=audit_action)


def require_unregistered(name: str, parent: SalesforceOrg | None) -> None:
    """Raise AlreadyRegistered when a registered org is meant, however it is spelled; nobody is asked for it.

    Under a production org, that is told by the parent it was registered with, or by its My Domain.
    """
    if org := registered_sandbox(name, parent):
        raise _registered(org)


def registered_sandbox(name: str, parent: SalesforceOrg | None) -> SalesforceOrg | None:
    """Return the registered org that a sandbox of this name is: under a production org, or under any."""
    key = name.strip().lower()
    for org in SalesforceOrg.objects.for_answers().filter(Q(sandbox_name=key) | Q(username_key=key)):
        if parent is None or org.username_key == key or org.parent_id == parent.pk or same_domain(org, parent):
            return org
    return None


def same_domain(org: SalesforceOrg, parent: SalesforceOrg) -> bool:
    """Tell whether an org lives under the My Domain of another: a sandbox has its name before the `--`."""
    return my_domain(host_of(org.instance_url)) == my_domain(host_of(parent.instance_url))


def _refuse_if_registered(org_id: str) -> None:
    """The backstop: whatever it was called, it is a registered org."""
    if org_id and (org := SalesforceOrg.objects.filter(org_id=org_id).first()):
        raise _registered(org)


def _allow_any(_org_id: str) -> None:
    return


def _registered(org: SalesforceOrg) -> AlreadyRegistered:
    return AlreadyRegistered("SANDBOX_REGISTERED", "sandbox", org)


def _reopen(parent: SalesforceOrg, name: str, by: Principal, register: bool) -> Session:
    return sandbox_session(parent, name, by=by, register=register).session


def _org_session(grant: OnDemandGrant, issued: IssuedSession, reopen: "partial[Session]") -> OrgSession:
    current = OnDemandGrant.objects.filter(pk=grant.pk).first()
    if current is None or current.credential_id is None:
        raise error_for("REFRESH_IN_PROGRESS")  # A registration has just taken it over.
    return OrgSession(current.username, issued.session, current.credential_id, reopen, issued.reused)
