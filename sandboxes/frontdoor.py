"""Creates links that log a browser in to an org: finds the org, checks access, and gets the link.

Orgs are searched in the order of the API contract: registered orgs, pool instances (only with a repository), and
orgs that are reached through their production org or DevHub.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from authn import audit
from authn.principals import Principal
from orgs import credential_release
from orgs.credentials import OrgError
from orgs.errors import AmbiguousSandbox
from orgs.frontdoor_links import create_frontdoor_link
from orgs.models import SalesforceOrg
from sandboxes.errors import InvalidTarget
from sandboxes.frontdoor_permissions import require_instance_access, require_org_access
from sandboxes.models import PoolInstance
from sandboxes.names import is_sandbox_name, is_scratch_username
from sandboxes.on_demand.org_session import OrgSession, registered_session
from sandboxes.on_demand.parents import dev_hubs, production_org, production_orgs_of
from sandboxes.on_demand.sandbox import has_same_domain, sandbox_or_registered_session
from sandboxes.on_demand.scratch import scratch_session
from sandboxes.on_demand.scratch_records import find_scratch_org
from sandboxes.pools.access import instance_session
from sandboxes.stored_names import is_scratch_org_in_use


@dataclass(frozen=True, slots=True)
class FrontdoorRequest:
    """The org to create a link to: a username, sandbox name or pool instance name, and where to search for it."""

    name: str
    repository: str = ""
    production_username: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class FrontdoorLink:
    """A one-time link to an org, and the org and user that it is for."""

    link: str = field(repr=False)
    username: str
    instance_url: str
    org_id: str


@dataclass(frozen=True, slots=True)
class FrontdoorTarget:
    """An org that the principal may view. Only `create_session` calls Salesforce."""

    kind: str  # "registered", "pool" or "on demand"
    name: str
    audit_target: audit.Target | None
    create_session: Callable[[], OrgSession] = field(repr=False)


def create_link(request: FrontdoorRequest, *, by: Principal) -> FrontdoorLink:
    """Return a one-time link to the requested org. Raises what resolve raises, and OrgError."""
    target = resolve(request, by=by)
    audit.require_writable()
    try:
        org_session = target.create_session()
        session = org_session.session
        link = create_frontdoor_link(org_session.credential_id, session, org_session.refresh, request.page)
    except OrgError as error:
        audit.record(audit.Action.FRONTDOOR, audit.Outcome.FAILED, by=by, target=target.audit_target, code=error.code)
        raise
    username = org_session.username or target.name
    credential_release.record_issue(
        org_session.credential_id, audit.Action.FRONTDOOR, target=org_session.target, by=by, token=link
    )
    return FrontdoorLink(link, username, session.instance_url, session.org_id)


def resolve(request: FrontdoorRequest, *, by: Principal) -> FrontdoorTarget:
    """Return the requested org, without a call to Salesforce.

    Whether an "on demand" target exists is known only after `create_session`. Raises OrgNotFound,
    AmbiguousSandbox, FrontdoorNotAllowed, PoolNotAssigned, InstanceExpired, InstanceProvisioning, InvalidTarget.
    """
    if org := _registered(request):
        require_org_access(org, by)
        return FrontdoorTarget("registered", org.username, org.audit_target, partial(registered_session, org, by=by))
    if request.repository and (instance := _pool_instance(request)):
        require_instance_access(instance, by)
        require_access = partial(require_org_access, by=by)
        return FrontdoorTarget(
            "pool",
            instance.name,
            instance.audit_target,
            partial(instance_session, instance, by=by, require_access=require_access),
        )
    named = audit.org_named(request.name)
    if is_scratch_username(request.name) or is_scratch_org_in_use(request.name):
        return FrontdoorTarget("on demand", request.name, named, partial(_scratch_session, request, by))
    if not is_sandbox_name(request.name):
        raise InvalidTarget(request.name)
    return FrontdoorTarget("on demand", request.name, named, partial(_sandbox_session, request, by))


# --- Registered orgs ----------------------------------------------------------------------------------


def _registered(request: FrontdoorRequest) -> SalesforceOrg | None:
    """Return the registered org with the requested name, if any.

    Of several sandboxes with this name, it is the one of the requested production org. Raises AmbiguousSandbox.
    """
    orgs = SalesforceOrg.objects.with_related()
    if org := orgs.with_username(request.name).first():
        return org
    namesakes = list(orgs.with_sandbox_name(request.name))
    if request.production_username and namesakes:
        parent = production_org(request.production_username)
        namesakes = [org for org in namesakes if org.parent_id == parent.pk or has_same_domain(org, parent)]
    if len(namesakes) > 1:
        raise AmbiguousSandbox(request.name, [org.username for org in namesakes])
    return namesakes[0] if namesakes else None


# --- Pool instances -----------------------------------------------------------------------------------


def _pool_instance(request: FrontdoorRequest) -> PoolInstance | None:
    PoolInstance.objects.expire_overdue()
    rows = PoolInstance.objects.of_repository(request.repository).select_related("parent")
    return rows.filter(name__iexact=request.name).first()


# --- On demand ----------------------------------------------------------------------------------------


def _sandbox_session(request: FrontdoorRequest, by: Principal) -> OrgSession:
    username = request.production_username
    parents = [production_org(username)] if username else production_orgs_of(request.name, by=by)
    # The host of a registered sandbox does not always contain its name, so `resolve` may not have found it.
    return sandbox_or_registered_session(
        parents, request.name, by=by, require_access=partial(require_org_access, by=by)
    )


def _scratch_session(request: FrontdoorRequest, by: Principal) -> OrgSession:
    return scratch_session(find_scratch_org(request.name, dev_hubs(request.production_username), by=by), by=by)
