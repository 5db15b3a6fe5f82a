"""Asks Salesforce whether a stored credential still works, and fills in what was never asked."""

import uuid
from dataclasses import dataclass
from functools import partial

from authn import audit
from authn.principals import Principal
from orgs.credentials.calls import call_with_session
from orgs.credentials.errors import CredentialTampered, OrgError, SessionError, SpoolUnavailable
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.credentials.session_request import SessionRequest
from orgs.errors import RegistrationRefused
from orgs.locks import lock_credential, one_org_writer
from orgs.models import SalesforceOrg
from orgs.org_sessions import session_for
from orgs.registration import bind
from orgs.salesforce import Organization, SalesforceClient, Session


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check: the org as it stands now, and the error when the connection is dead."""

    org: SalesforceOrg
    error: OrgError | None = None


def check_connection(org: SalesforceOrg, *, by: Principal) -> Verdict:
    """Mint a session and read the org's facts with it; note in the credential what became of it.

    An org that was registered without validation is verified by this. Raises OrgNotFound when the
    org was deleted meanwhile.
    """
    asking = SessionRequest(by=by, org=org.username, force=True)
    try:
        session, answer = call_with_session(
            org.credential_id or uuid.uuid4(), lambda: session_for(org, asking).session, partial(_read, org=org)
        )
        _store(org, session, answer)
    except (SessionError, CredentialTampered, SpoolUnavailable, RegistrationRefused) as error:
        _note(org, error)
        audit.record(audit.Action.ORG_TESTED, audit.Outcome.FAILED, by=by, org=org.username, code=error.code)
        return Verdict(org, error)
    audit.record(audit.Action.ORG_TESTED, audit.Outcome.GRANTED, by=by, org=org.username)
    return Verdict(org)


def _note(org: SalesforceOrg, error: OrgError) -> None:
    """Show in the health what stopped the question; the engine has noted what stopped the session."""
    ending = BY_CODE.get(error.code)
    if ending and ending.health and org.credential_id:
        rows = Credential.objects.filter(pk=org.credential_id, health=Health.HEALTHY)
        rows.update(health=ending.health, reason=ending.code)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The org's facts, and whose they are where that was not known before."""

    organization: Organization
    username: str


def _read(salesforce: SalesforceClient, session: Session, *, org: SalesforceOrg) -> _Answer:
    username = org.username if org.org_id else salesforce.identity(session).username
    return _Answer(salesforce.organization(session), username)


def _store(org: SalesforceOrg, session: Session, answer: _Answer) -> None:
    if answer.username.lower() != org.username.lower():
        raise RegistrationRefused(
            "USERNAME_MISMATCH",
            f"The stored auth URL belongs to {answer.username}, not to {org.username}.",
            "Delete this org and register the auth URL again, with validation.",
        )
    with one_org_writer():
        lock_credential(org.credential_id)
        # Only while it is still the org that was asked about: it may have been deleted, or registered
        # anew with another credential or org id, and then these facts are old.
        # A key that was made anew for a sandbox has written the org id that it found.
        org_id = session.org_id if org.is_jit_registration else org.org_id
        same = SalesforceOrg.objects.filter(pk=org.pk, credential=org.credential, org_id=org_id)
        verified_before = bool(org.org_id)
        org.take_facts(session, answer.organization)
        if not same.update(**{fact: getattr(org, fact) for fact in SalesforceOrg.FACTS}):
            return
        credential = Credential.objects.filter(org=org).first()
        if credential and not verified_before:
            bind(credential, org)
