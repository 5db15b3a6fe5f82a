"""Registers a sandbox by its name: its key is made through its production org, now and whenever it dies."""

from authn import audit
from authn.principals import Principal
from orgs.credentials import (
    BY_CODE,
    Credential,
    GrantRefused,
    SessionError,
    call_with_session,
    delete_orphan,
    error_for,
    session_then_refresh,
    unlink_other_owners,
)
from orgs.errors import InvalidRequest, RegistrationRefused
from orgs.locks import one_org_writer
from orgs.models import SalesforceOrg
from orgs.organization_kinds import Kind
from orgs.registration import bind
from orgs.salesforce import Organization, Session
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.on_demand.parents import production_org
from sandboxes.on_demand.sandbox import sandbox_session
from sandboxes.pools.access import registered_session

# Here these, too, mean that what was asked for is no good.
_OF_THE_NAME = ("SANDBOX_NOT_FOUND", "SANDBOX_BUSY", "SANDBOX_AUTH_REFUSED", "SANDBOX_USER_CHANGED")


def register_sandbox(*, sandbox_name: str, production_username: str, by: Principal) -> SalesforceOrg:
    """Store a sandbox without a key of its own, or renew what is stored of it.

    Returns the stored org. One that holds its own key, and is the same org, keeps it and is
    returned as it is. Raises OrgNotFound, Refused, RegistrationRefused, SessionError.
    """
    parent = production_org(production_username)
    audit.require_writable()
    try:
        opened = _open(parent, sandbox_name, by)
        session, organization = call_with_session(
            opened.credential_id,
            session_then_refresh(opened.session, opened.reopen),
            lambda salesforce, session: salesforce.organization(session),
        )
    except SessionError as error:
        if not (BY_CODE[error.code].is_client_error or error.code in _OF_THE_NAME):
            raise
        raise RegistrationRefused(error.code, str(error), error.action) from error
    if organization.kind != Kind.SANDBOX:
        raise InvalidRequest("NOT_A_SANDBOX", f"{opened.username} is in no sandbox.", "Register it by its auth URL.")
    if kept := _with_own_key(session.org_id, opened):
        delete_orphan(opened.credential_id)
        return kept
    return _store(parent, sandbox_name, opened, session, organization, by)


def _open(parent: SalesforceOrg, sandbox_name: str, by: Principal) -> OrgSession:
    """Open the sandbox: by the key that it has when it is registered so already, else by one made on demand."""
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


def _with_own_key(org_id: str, opened: OrgSession) -> SalesforceOrg | None:
    """Return the org that is registered with a key of its own, and drop the grant that was made in vain."""
    orgs = SalesforceOrg.objects.for_answers().filter(org_id=org_id, is_jit_registration=False)
    kept = orgs.exclude(credential=None).exclude(credential_id=opened.credential_id).first()
    if kept is not None:
        OnDemandGrant.objects.filter(credential_id=opened.credential_id).delete()
    return kept


def _store(
    parent: SalesforceOrg,
    sandbox_name: str,
    opened: OrgSession,
    session: Session,
    organization: Organization,
    by: Principal,
) -> SalesforceOrg:
    with one_org_writer():
        held = Credential.objects.select_for_update(of=("self",)).filter(pk=opened.credential_id).first()
        if held is None or not SalesforceOrg.objects.filter(pk=parent.pk).exists():
            raise error_for("REFRESH_IN_PROGRESS")
        org = _row_for(opened.username, session.org_id)
        was, former_id = org.pk is not None, org.org_id
        former_credential = org.credential_id if org.credential_id != held.pk else None
        org.username = opened.username
        org.take_facts(session, organization)
        org.sandbox_name, org.parent, org.is_jit_registration = sandbox_name.lower(), parent, True
        org.is_dev_hub = org.is_default = False
        unlink_other_owners(held, org)
        org.credential = held
        org.save()
        bind(held, org)
        OnDemandGrant.objects.filter(parent=parent, name=sandbox_name.lower()).delete()
        if former_credential:
            Credential.objects.filter(pk=former_credential).delete()
        _audit(org, by, was=was, former_id=former_id)
    return org


def _row_for(username: str, org_id: str) -> SalesforceOrg:
    """Return the row to write: that of this username, else of this org, else a new one."""
    org = SalesforceOrg.objects.with_username(username).first()
    return org or SalesforceOrg.objects.filter(org_id=org_id).first() or SalesforceOrg()


def _audit(org: SalesforceOrg, by: Principal, *, was: bool, former_id: str) -> None:
    facts = {"org": org.username, "org_id": org.org_id}
    audit.record(audit.Action.ORG_REGISTERED, audit.Outcome.GRANTED, by=by, updated=was, by_name=True, **facts)
    if former_id and former_id != org.org_id:
        audit.record(
            audit.Action.ORG_ID_CHANGED, audit.Outcome.GRANTED, by=by, org=org.username, old=former_id, new=org.org_id
        )
