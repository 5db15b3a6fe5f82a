"""Authenticates to sandboxes and scratch orgs that are not registered, by name."""

from dataclasses import dataclass, field

from authn import audit
from authn.principals import Principal
from orgs.credentials import OrgError
from orgs.frontdoor_links import create_frontdoor_link
from orgs.models import SalesforceOrg
from sandboxes.on_demand import sandbox, scratch, scratch_records
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.on_demand.parents import dev_hubs, production_org, production_orgs_of


@dataclass(frozen=True, slots=True)
class OnDemandOrg:
    """A session of an org, the org that it is reached through, and a one-time link.

    If no link could be created, `link` is the instance URL and `link_error` says why. `auth_url` is empty
    where it may not be released.
    """

    org_session: OrgSession
    parent: SalesforceOrg
    link: str = field(repr=False)
    link_error: str | None = None
    auth_url: str = field(default="", repr=False)


def authenticate_sandbox(*, sandbox_name: str, production_username: str = "", by: Principal) -> OnDemandOrg:
    """Return a session of a sandbox and a link to it.

    Raises AlreadyRegistered, before a call to Salesforce where possible; OrgNotFound, InvalidRequest, NotFound,
    Ambiguous, SearchIncomplete, SessionError.
    """
    parent = production_org(production_username) if production_username else None
    sandbox.require_unregistered(sandbox_name, parent)
    audit.require_writable()
    parents = [parent] if parent else production_orgs_of(sandbox_name, by=by)
    action = audit.Action.ACCESS_TOKEN
    parent, org_session = sandbox.sandbox_session_through_any(parents, sandbox_name, by=by, audit_action=action)
    return OnDemandOrg(org_session, parent, *_link(org_session, by))


def authenticate_scratch_org(*, username: str, dev_hub_username: str = "", by: Principal) -> OnDemandOrg:
    """Return a session of a scratch org and a link to it.

    Raises AlreadyRegistered, before a call to Salesforce where possible; InvalidRequest if its record has no auth
    URL; OrgNotFound, NotFound, ScratchOrgExpired, ScratchOrgMismatch, ScratchAuthUrlRefused, SearchIncomplete,
    SessionError.
    """
    scratch.require_unregistered(username)
    audit.require_writable()
    found = scratch_records.find_scratch_org(username, dev_hubs(dev_hub_username), by=by)
    org_session = scratch.scratch_session(found, by=by, audit_action=audit.Action.ACCESS_TOKEN)
    return OnDemandOrg(org_session, found.hub, *_link(org_session, by), auth_url=org_session.auth_url)


def _link(org_session: OrgSession, by: Principal) -> tuple[str, str | None]:
    """Return a one-time link and None; or the instance URL and the error. The session is valid in either case."""
    target = org_session.target
    try:
        link = create_frontdoor_link(org_session.credential_id, org_session.session, org_session.refresh)
    except OrgError as error:
        audit.record(audit.Action.FRONTDOOR, audit.Outcome.FAILED, by=by, target=target, code=error.code)
        return org_session.session.instance_url, f"{error.code}: {error} {error.action}"
    audit.record(audit.Action.FRONTDOOR, audit.Outcome.GRANTED, by=by, target=target, token=link)
    return link, None
