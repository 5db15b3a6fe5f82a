"""Opens an org in a browser: finds which is meant, asks who may, and gets a one-time link.

The order is the contract's: registered orgs, pool instances (only with their repository), and orgs
that are reached through their production org or DevHub.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from authn import audit
from authn.principals import Principal
from orgs import credential_release
from orgs.credentials import OrgError
from orgs.errors import AmbiguousSandbox, InvalidRequest
from orgs.frontdoor_links import create_frontdoor_link
from orgs.models import SalesforceOrg
from orgs.organization_kinds import Kind
from sandboxes.errors import (
    AlreadyRegistered,
    FrontdoorNotAllowed,
    InstanceExpired,
    InstanceProvisioning,
    PoolNotAssigned,
)
from sandboxes.models import PoolInstance
from sandboxes.names import is_sandbox_name, is_scratch_username
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.on_demand.parents import dev_hub, dev_hubs, production_org, production_orgs_of
from sandboxes.on_demand.sandbox import same_domain, sandbox_session_through_any
from sandboxes.on_demand.scratch import find_scratch_org, scratch_session
from sandboxes.pools.access import instance_session, registered_org, registered_session


@dataclass(frozen=True, slots=True)
class FrontdoorRequest:
    """What somebody wants to open: a username, sandbox name or pool instance name, and where to look."""

    name: str
    repository: str = ""
    production_username: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class FrontdoorLink:
    """A one-time link into an org, and which org and user it is for."""

    link: str = field(repr=False)
    username: str
    instance_url: str
    org_id: str


@dataclass(frozen=True, slots=True)
class FrontdoorTarget:
    """A way into an org that this actor may go. `open` mints a session; finding the door does not."""

    kind: str  # "registered", "pool" or "on demand"
    name: str
    open: Callable[[], OrgSession] = field(repr=False)


def create_link(target: FrontdoorRequest, *, by: Principal) -> FrontdoorLink:
    """Return a one-time link to a target. Raises what find_door raises, and OrgError."""
    door = resolve(target, by=by)
    audit.require_writable()
    try:
        opened = door.open()
        link = create_frontdoor_link(opened.credential_id, opened.session, opened.reopen, target.page)
    except OrgError as error:
        audit.record(audit.Action.FRONTDOOR, audit.Outcome.FAILED, by=by, org=target.name, code=error.code)
        raise
    name = opened.username or door.name
    credential_release.record_issue(opened.credential_id, audit.Action.FRONTDOOR, org=name, by=by, token=link)
    return FrontdoorLink(link, name, opened.session.instance_url, opened.session.org_id)


def resolve(target: FrontdoorRequest, *, by: Principal) -> FrontdoorTarget:
    """Return the way to a target. Only where it is neither registered nor in a pool is that not yet known.

    Raises OrgNotFound, AmbiguousSandbox, FrontdoorNotAllowed, PoolNotAssigned, InstanceExpired,
    InstanceProvisioning, InvalidRequest.
    """
    if org := _registered(target):
        _require_access(org, by)
        return FrontdoorTarget("registered", org.username, partial(registered_session, org, by=by))
    if target.repository and (instance := _pool_instance(target)):
        _require_instance_access(instance, by)
        return FrontdoorTarget(
            "pool", instance.name, partial(instance_session, instance, by=by, admit=partial(_require_access, by=by))
        )
    if is_scratch_username(target.name):
        return FrontdoorTarget("on demand", target.name, partial(_open_scratch_org, target, by))
    if not is_sandbox_name(target.name):
        raise InvalidRequest(
            "INVALID_TARGET",
            f"{target.name!r} is neither a username nor the name of a sandbox.",
            "Send the username of an org, or the name of a sandbox or pool instance.",
        )
    return FrontdoorTarget("on demand", target.name, partial(_open_sandbox, target, by))


# --- Registered orgs ----------------------------------------------------------------------------------


def _registered(target: FrontdoorRequest) -> SalesforceOrg | None:
    """Return the registered org that is meant, if any. A production org that is named tells namesakes apart."""
    orgs = SalesforceOrg.objects.for_answers()
    if org := orgs.with_username(target.name).first():
        return org
    namesakes = list(orgs.with_sandbox_name(target.name))
    if target.production_username and namesakes:
        parent = production_org(target.production_username)
        namesakes = [org for org in namesakes if org.parent_id == parent.pk or same_domain(org, parent)]
    if len(namesakes) > 1:
        raise AmbiguousSandbox(target.name, [org.username for org in namesakes])
    return namesakes[0] if namesakes else None


def _require_access(org: SalesforceOrg, by: Principal) -> None:
    """Keep members out of production orgs and DevHubs, unless an owner has let them in."""
    if by.may_hold_credentials or org.member_frontdoor:
        return
    if org.kind == Kind.PRODUCTION or org.is_dev_hub:
        raise FrontdoorNotAllowed(org.username)


# --- Pool instances -----------------------------------------------------------------------------------


def _pool_instance(target: FrontdoorRequest) -> PoolInstance | None:
    PoolInstance.objects.expire_overdue()
    rows = PoolInstance.objects.filter(repository=target.repository).select_related("parent")
    return rows.filter(name__iexact=target.name).first()


def _require_instance_access(instance: PoolInstance, by: Principal) -> None:
    if instance.status == PoolInstance.Status.EXPIRED:
        raise InstanceExpired(instance.name)
    if instance.status == PoolInstance.Status.PROVISIONING:
        raise InstanceProvisioning(instance.name)
    if instance.status == PoolInstance.Status.AVAILABLE and not by.may_hold_credentials:
        raise PoolNotAssigned(instance.name)
    if org := registered_org(instance):  # Also where the instance has a key of its own: it is the same org.
        _require_access(org, by)


# --- On demand ----------------------------------------------------------------------------------------


def _open_sandbox(target: FrontdoorRequest, by: Principal) -> OrgSession:
    named = target.production_username
    parents = [production_org(named)] if named else production_orgs_of(target.name, by=by)
    try:
        return sandbox_session_through_any(parents, target.name, by=by)[1]
    except AlreadyRegistered as refusal:  # Its host does not tell its name; Salesforce did.
        _require_access(refusal.org, by)
        return registered_session(refusal.org, by=by)


def _open_scratch_org(target: FrontdoorRequest, by: Principal) -> OrgSession:
    hubs = [dev_hub(target.production_username)] if target.production_username else dev_hubs()
    return scratch_session(find_scratch_org(target.name, hubs, by=by), by=by)
