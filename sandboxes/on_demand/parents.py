"""Finds the production org or DevHub that a sandbox or scratch org is reached through."""

import uuid

from authn.principals import Principal
from orgs.credentials import call_with_session, error_for
from orgs.errors import OrgNotFound
from orgs.models import Kind, SalesforceOrg
from orgs.org_sessions import ParentSessions
from orgs.salesforce import SandboxState
from sandboxes.errors import (
    Ambiguous,
    NoDevHub,
    NoProductionOrg,
    NotAProductionOrg,
    NotRegisteredAsDevHub,
    SearchIncomplete,
    UnknownSandbox,
)
from sandboxes.on_demand.fan_out import failures_in, query_all


def production_org(username: str) -> SalesforceOrg:
    """Return the registered production org with this username. Raises OrgNotFound, InvalidRequest."""
    org = _registered(username)
    if org.kind != Kind.PRODUCTION:
        raise NotAProductionOrg(org.username)
    return org


def dev_hub(username: str) -> SalesforceOrg:
    """Return the registered DevHub with this username. Raises OrgNotFound, NotFound."""
    org = _registered(username)
    if not org.is_dev_hub:
        raise NotRegisteredAsDevHub(org.username)
    return org


def dev_hubs(username: str = "") -> list[SalesforceOrg]:
    """Return the DevHub with this username; without one, all registered DevHubs. Raises OrgNotFound, NotFound."""
    if username:
        return [dev_hub(username)]
    hubs = list(SalesforceOrg.objects.filter(is_dev_hub=True).exclude(org_id="").order_by("-is_default", "pk"))
    if not hubs:
        raise NoDevHub
    return hubs


def production_orgs_of(sandbox_name: str, *, by: Principal) -> list[SalesforceOrg]:
    """Search all registered production orgs for a sandbox, and return the one that has it.

    Returns several rows if several users of that org are registered. Raises NotFound, Ambiguous, SearchIncomplete.
    """
    orgs = list(SalesforceOrg.objects.filter(kind=Kind.PRODUCTION).exclude(org_id="").order_by("pk"))
    if not orgs:
        raise NoProductionOrg
    results = query_all(orgs, lambda org: sandbox_in(org, sandbox_name, by=by))
    found = [result.org for result in results if result.found]
    if len({org.org_id for org in found}) > 1:
        raise Ambiguous(sandbox_name, [org.username for org in found])
    if found:
        return found
    if failures := failures_in(results):
        raise SearchIncomplete(f"The sandbox {sandbox_name!r}", failures)
    raise UnknownSandbox(sandbox_name, [org.username for org in orgs])


def parent_credential_id(org: SalesforceOrg) -> uuid.UUID:
    """Return the id of a parent's credential. Raises SessionError (CREDENTIAL_EXPIRED) if it has none."""
    if org.credential_id is None:
        raise error_for("CREDENTIAL_EXPIRED")
    return org.credential_id


def sandbox_in(org: SalesforceOrg, name: str, *, by: Principal) -> SandboxState | None:
    """Return the state of a sandbox as its production org lists it, None if there is none or it is deleted.

    Raises what ParentSessions raises, and SessionError.
    """
    _, state = call_with_session(
        parent_credential_id(org),
        ParentSessions(org, by),
        lambda salesforce, session: salesforce.sandbox_state(session, name),
    )
    return None if state is None or state.is_deleted else state


def _registered(username: str) -> SalesforceOrg:
    org = SalesforceOrg.objects.with_username(username).first()
    if org is None:
        raise OrgNotFound(username)
    return org
