"""Registers a sandbox by its name: its grants are created through its production org whenever one is needed."""

from authn import audit
from authn.principals import Principal
from orgs.auth_url_validation import permanent_failures_refused
from orgs.credential_ownership import link_credential
from orgs.credentials import GrantRefused, call_with_session, delete_orphan, error_for, session_then_refresh
from orgs.locks import lock_credential, org_write_transaction
from orgs.models import Kind, SalesforceOrg
from orgs.registration import FormerOrg, audit_registration
from orgs.salesforce import Organization, Session
from sandboxes.errors import NotASandbox
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand.org_session import OrgSession, registered_session
from sandboxes.on_demand.parents import production_org
from sandboxes.on_demand.sandbox import sandbox_session

# Failures that mean invalid input on this endpoint, besides those that do so everywhere.
_INVALID_INPUT = ("SANDBOX_NOT_FOUND", "SANDBOX_BUSY", "SANDBOX_AUTH_REFUSED", "SANDBOX_USER_CHANGED")


def register_sandbox(*, sandbox_name: str, production_username: str, by: Principal) -> SalesforceOrg:
    """Register a sandbox without an auth URL, or update its registration.

    Returns the stored org. A registered org with the same org id and a grant of its own is returned unchanged.
    Raises OrgNotFound, InvalidRequest, RegistrationRefused, SessionError.
    """
    parent = production_org(production_username)
    audit.require_writable()
    with permanent_failures_refused(*_INVALID_INPUT):
        org_session = _org_session(parent, sandbox_name, by)
        session, organization = call_with_session(
            org_session.credential_id,
            session_then_refresh(org_session.session, org_session.refresh),
            lambda salesforce, session: salesforce.organization(session),
        )
    if organization.kind != Kind.SANDBOX:
        raise NotASandbox(org_session.username)
    if registered := _with_own_grant(session.org_id, org_session):
        delete_orphan(org_session.credential_id)
        return registered
    return _store(parent, sandbox_name, org_session, session, organization, by)


def _org_session(parent: SalesforceOrg, sandbox_name: str, by: Principal) -> OrgSession:
    """Return a session by the grant of an earlier registration by name, else by an on-demand grant."""
    registered = SalesforceOrg.objects.filter(
        parent=parent, sandbox_name=sandbox_name.lower(), is_jit_registration=True
    ).first()
    if registered is not None:
        try:
            return registered_session(registered, by=by)
        except GrantRefused as error:
            if error.code != "SANDBOX_USER_CHANGED":
                raise
    return sandbox_session(parent, sandbox_name, by=by, register=True)


def _with_own_grant(org_id: str, org_session: OrgSession) -> SalesforceOrg | None:
    """Return the org that is registered by an auth URL, and delete the on-demand grant that it does not need."""
    orgs = SalesforceOrg.objects.with_related().filter(org_id=org_id, is_jit_registration=False)
    registered = orgs.exclude(credential=None).exclude(credential_id=org_session.credential_id).first()
    if registered is not None:
        OnDemandGrant.objects.filter(credential_id=org_session.credential_id).delete()
    return registered


def _store(
    parent: SalesforceOrg,
    sandbox_name: str,
    org_session: OrgSession,
    session: Session,
    organization: Organization,
    by: Principal,
) -> SalesforceOrg:
    with org_write_transaction():
        credential = lock_credential(org_session.credential_id)
        if credential is None or not SalesforceOrg.objects.filter(pk=parent.pk).exists():
            raise error_for("REFRESH_IN_PROGRESS")
        org = _row_for(org_session.username, session.org_id)
        lock_credential(org.credential_id)
        former = FormerOrg.of(org)
        org.username = org_session.username
        org.set_details(session, organization)
        org.sandbox_name, org.parent, org.is_jit_registration = sandbox_name.lower(), parent, True
        org.is_dev_hub = org.is_default = False
        org.save()
        link_credential(org, credential)
        OnDemandGrant.objects.filter(parent=parent, name=sandbox_name.lower()).delete()
        audit_registration(org, by, former=former, by_name=True)
    return org


def _row_for(username: str, org_id: str) -> SalesforceOrg:
    """Return the row to write: the one with this username, else one with this org id, else a new one."""
    org = SalesforceOrg.objects.with_username(username).first()
    return org or SalesforceOrg.objects.filter(org_id=org_id).first() or SalesforceOrg()
