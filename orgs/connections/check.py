"""Tests a stored credential with Salesforce, and stores what Salesforce returns of the org."""

import uuid
from dataclasses import dataclass

from authn import audit
from authn.principals import Principal
from orgs.credential_ownership import bind
from orgs.credentials.calls import call_with_session
from orgs.credentials.errors import CredentialTampered, OrgError, SessionError, SpoolUnavailable
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.credentials.session_request import SessionRequest
from orgs.errors import RegistrationRefused, StoredUsernameMismatch
from orgs.locks import lock_credential, org_write_transaction
from orgs.models import SalesforceOrg
from orgs.org_sessions import session_for
from orgs.salesforce import Organization, SalesforceClient, Session


@dataclass(frozen=True, slots=True)
class ConnectionResult:
    """The result of a connection test: the org as it is now, and the error if the test failed."""

    org: SalesforceOrg
    error: OrgError | None = None


@dataclass(frozen=True, slots=True)
class _Details:
    """What Salesforce returned. For a verified org, `username` is the stored one."""

    organization: Organization
    username: str


def check_connection(org: SalesforceOrg, *, by: Principal) -> ConnectionResult:
    """Refresh the credential of an org, read the org's details, and record the credential's health.

    A success verifies an org that was registered without validation. Raises OrgNotFound if the org was
    deleted meanwhile.
    """
    request = SessionRequest(by=by, target=org.audit_target, force=True)

    def read(salesforce: SalesforceClient, session: Session) -> _Details:
        username = org.username if org.org_id else salesforce.identity(session).username
        return _Details(salesforce.organization(session), username)

    try:
        session, details = call_with_session(
            org.credential_id or uuid.uuid4(), lambda: session_for(org, request).session, read
        )
        _store(org, session, details)
    except (SessionError, CredentialTampered, SpoolUnavailable, RegistrationRefused) as error:
        _record_health(org, error)
        audit.record(audit.Action.ORG_TESTED, audit.Outcome.FAILED, by=by, target=org.audit_target, code=error.code)
        return ConnectionResult(org, error)
    audit.record(audit.Action.ORG_TESTED, audit.Outcome.GRANTED, by=by, target=org.audit_target)
    return ConnectionResult(org)


def _record_health(org: SalesforceOrg, error: OrgError) -> None:
    """Record a failure of the call after the refresh. The engine has recorded a failure of the refresh itself."""
    failure = BY_CODE.get(error.code)
    if failure and failure.health and org.credential_id:
        rows = Credential.objects.filter(pk=org.credential_id, health=Health.HEALTHY)
        rows.update(health=failure.health, reason=failure.code)


def _store(org: SalesforceOrg, session: Session, details: _Details) -> None:
    if details.username.lower() != org.username.lower():
        raise StoredUsernameMismatch(details.username, org.username)
    with org_write_transaction():
        lock_credential(org.credential_id)
        # Only if the row is still the org that was tested. If it was deleted, or registered again with another
        # credential or org id, these details are outdated. A grant that was created for a sandbox during the
        # test has stored the org id that came with it.
        org_id = session.org_id if org.is_jit_registration else org.org_id
        tested = SalesforceOrg.objects.filter(pk=org.pk, credential=org.credential, org_id=org_id)
        verified_before = bool(org.org_id)
        org.set_details(session, details.organization)
        if not tested.update(**{name: getattr(org, name) for name in SalesforceOrg.DETAILS}):
            return
        credential = Credential.objects.filter(org=org).first()
        if credential and not verified_before:
            bind(credential, org)
