"""Sessions of sandboxes that are not registered, through their production orgs."""

from collections.abc import Callable
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
from orgs.salesforce import Session, host_of, is_same_my_domain
from orgs.sandbox_grants import SandboxGrantCreator
from sandboxes.errors import AlreadyRegistered, SandboxRegistered
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand.grants import drop_if_empty, grant_for, touch
from sandboxes.on_demand.org_session import OrgSession, registered_session


def sandbox_session(
    parent: SalesforceOrg, name: str, *, by: Principal, audit_action: audit.Action | None = None, register: bool = False
) -> OrgSession:
    """Return a session of a sandbox by its stored grant, or by a new one that is created through the parent.

    The first session takes two calls to Salesforce (sandboxAuth, code exchange), later ones take one. With
    `register`, the sandbox may be a registered org. Raises AlreadyRegistered, SessionError.
    """
    check_org_id = _accept if register else _refuse_if_registered

    def work() -> OrgSession:
        grant, credential = grant_for(parent, name)
        check_org_id(grant.org_id)
        creator = SandboxGrantCreator(
            parent=parent,
            parent_sessions=partial(ParentSessions, parent, by),
            sandbox_name=name,
            credential_id=credential.pk,
            check_org_id=check_org_id,
        )
        target = audit.org_named(f"{grant.name} of {parent.username}")
        try:
            issued = open_session(
                credential, SessionRequest(by=by, target=target, audit_action=audit_action, create_grant=creator)
            )
        except OrgError as error:
            drop_if_empty(credential)
            raise creator.explain(error) from error
        # A caller who waited adopts a session that was requested with other permissions.
        check_org_id(issued.session.org_id)
        touch(grant)
        return _org_session(grant, issued, partial(_refresh, parent, name, by, register))

    return retry_when_gone(work)


def sandbox_session_through_any(
    parents: list[SalesforceOrg], name: str, *, by: Principal, audit_action: audit.Action | None = None
) -> tuple[SalesforceOrg, OrgSession]:
    """Return a session through the first registered user of the production org who may log in to the sandbox.

    Returns that user's row with it. Raises what sandbox_session raises.
    """
    *others, last = parents
    for parent in others:
        try:
            return parent, sandbox_session(parent, name, by=by, audit_action=audit_action)
        except GrantRefused as error:
            if error.code != "SANDBOX_AUTH_REFUSED":
                raise
    return last, sandbox_session(last, name, by=by, audit_action=audit_action)


def sandbox_or_registered_session(
    parents: list[SalesforceOrg],
    name: str,
    *,
    by: Principal,
    require_access: Callable[[SalesforceOrg], None],
    audit_action: audit.Action | None = None,
) -> OrgSession:
    """Return a session of a sandbox. If Salesforce shows that it is a registered org, use that org's credential.

    `require_access` raises if the caller may not use that org. Raises what sandbox_session raises.
    """
    try:
        return sandbox_session_through_any(parents, name, by=by, audit_action=audit_action)[1]
    except AlreadyRegistered as error:
        require_access(error.org)
        return registered_session(error.org, by=by, audit_action=audit_action)


def require_unregistered(name: str, parent: SalesforceOrg | None) -> None:
    """Raise AlreadyRegistered if the sandbox is known to be registered, without a call to Salesforce."""
    if org := registered_sandbox(name, parent):
        raise SandboxRegistered(org)


def registered_sandbox(name: str, parent: SalesforceOrg | None) -> SalesforceOrg | None:
    """Return the registered org with this sandbox name or username: of the parent if given, else of any.

    It is of the parent if it was registered through it or has the same My Domain.
    """
    name = name.strip().lower()
    for org in SalesforceOrg.objects.with_related().filter(Q(sandbox_name=name) | Q(username_key=name)):
        if parent is None or org.username_key == name or org.parent_id == parent.pk or has_same_domain(org, parent):
            return org
    return None


def has_same_domain(org: SalesforceOrg, parent: SalesforceOrg) -> bool:
    """Return True if two orgs have the same My Domain; a sandbox has its production org's before the `--`."""
    return is_same_my_domain(host_of(org.instance_url), host_of(parent.instance_url))


def _refuse_if_registered(org_id: str) -> None:
    """Raise AlreadyRegistered for the org id of a registered org, whatever name was requested."""
    if org_id and (org := SalesforceOrg.objects.filter(org_id=org_id).first()):
        raise SandboxRegistered(org)


def _accept(_org_id: str) -> None:
    return


def _refresh(parent: SalesforceOrg, name: str, by: Principal, register: bool) -> Session:
    return sandbox_session(parent, name, by=by, register=register).session


def _org_session(grant: OnDemandGrant, issued: IssuedSession, refresh: Callable[[], Session]) -> OrgSession:
    current = OnDemandGrant.objects.filter(pk=grant.pk).first()
    if current is None or current.credential_id is None:
        raise error_for("REFRESH_IN_PROGRESS")  # A registration has just taken the credential.
    return OrgSession(
        current.username, issued.session, current.credential_id, refresh, current.audit_target, issued.reused
    )
