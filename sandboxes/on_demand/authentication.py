"""Opens sandboxes and scratch orgs that nobody registered, for whoever asks by name."""

from dataclasses import dataclass, field

from authn import audit
from authn.principals import Principal
from orgs.credentials import OrgError
from orgs.frontdoor_links import create_frontdoor_link
from orgs.models import SalesforceOrg
from sandboxes.on_demand import sandbox, scratch
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.on_demand.parents import dev_hub, dev_hubs, production_org, production_orgs_of


@dataclass(frozen=True, slots=True)
class OnDemandOrg:
    """An opened org, the org it was reached through, and a one-time link or the reason why there is none."""

    opened: OrgSession
    parent: SalesforceOrg
    link: str = field(repr=False)
    link_error: str | None = None
    auth_url: str = field(default="", repr=False)


def authenticate_sandbox(*, sandbox_name: str, production_username: str = "", by: Principal) -> OnDemandOrg:
    """Open a sandbox by its name.

    Raises InvalidRequest when it is registered, before anybody is asked; OrgNotFound, NotFound,
    Ambiguous, SearchIncomplete, SessionError.
    """
    parent = production_org(production_username) if production_username else None
    sandbox.require_unregistered(sandbox_name, parent)
    audit.require_writable()
    parents = [parent] if parent else production_orgs_of(sandbox_name, by=by)
    action = audit.Action.ACCESS_TOKEN
    parent, opened = sandbox.sandbox_session_through_any(parents, sandbox_name, by=by, audit_action=action)
    return OnDemandOrg(opened, parent, *_link(opened, by))


def authenticate_scratch_org(*, username: str, dev_hub_username: str = "", by: Principal) -> OnDemandOrg:
    """Open a scratch org by its username.

    Raises InvalidRequest when it is registered, before anybody is asked, or its record has no auth URL;
    OrgNotFound, NotFound, ScratchOrgExpired, ScratchOrgMismatch, ScratchAuthUrlRefused,
    SearchIncomplete, SessionError.
    """
    scratch.require_unregistered(username)
    audit.require_writable()
    hubs = [dev_hub(dev_hub_username)] if dev_hub_username else dev_hubs()
    found = scratch.find_scratch_org(username, hubs, by=by)
    opened = scratch.scratch_session(found, by=by, action=audit.Action.ACCESS_TOKEN)
    return OnDemandOrg(opened, found.hub, *_link(opened, by), auth_url=opened.auth_url)


def _link(opened: OrgSession, by: Principal) -> tuple[str, str | None]:
    """Return a one-time link; where the org gives none, its bare address and why. The token is good all the same."""
    try:
        link = create_frontdoor_link(opened.credential_id, opened.session, opened.reopen)
    except OrgError as error:
        code = error.code
        audit.record(audit.Action.FRONTDOOR, audit.Outcome.FAILED, by=by, org=opened.username, code=code)
        return opened.session.instance_url, f"{code}: {error} {error.action}"
    audit.record(audit.Action.FRONTDOOR, audit.Outcome.GRANTED, by=by, org=opened.username, token=link)
    return link, None
