"""Sessions of scratch orgs that are not registered, by the auth URL in their DevHub's record."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from django.db import transaction

from authn import audit
from authn.principals import Principal
from orgs import credential_release
from orgs.auth_url_validation import login_host_advice
from orgs.credential_ownership import delete_if_unused, link_credential
from orgs.credentials import (
    Credential,
    CredentialGone,
    CredentialRefused,
    IssuedSession,
    OrgError,
    OrgGone,
    SessionRequest,
    credential_for,
    decrypt_grant,
    mark_released,
    open_session,
    retry_when_gone,
)
from orgs.errors import AuthUrlReleaseOff, CredentialsForbidden
from orgs.locks import lock_credential, require_locked_credential
from orgs.models import SalesforceOrg
from orgs.salesforce import AuthUrl, Session
from sandboxes.errors import ScratchAuthUrlRefused, ScratchOrgExpired, ScratchOrgMismatch, ScratchOrgRegistered
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.on_demand.scratch_records import ScratchOrg, auth_url_of, write_auth_url


@dataclass(frozen=True, slots=True)
class ScratchSession(OrgSession):
    """A session of a scratch org, with its auth URL; "" where that may not be released."""

    auth_url: str = field(default="", repr=False)


def require_unregistered(username: str, org_id: str = "") -> None:
    """Raise AlreadyRegistered if an org with this username or org id is registered."""
    org = SalesforceOrg.objects.with_username(username).first()
    if org is None and org_id:
        org = SalesforceOrg.objects.filter(org_id=org_id).first()
    if org is not None:
        raise ScratchOrgRegistered(org)


def scratch_session(scratch: ScratchOrg, *, by: Principal, audit_action: audit.Action | None = None) -> ScratchSession:
    """Return a session of a scratch org by the auth URL in its record.

    A rotated token is written back to the record, if the DevHub allows that. `audit_action` is the action under
    which the audit records that a client gets the token. Raises AlreadyRegistered, InvalidRequest,
    ScratchOrgMismatch, ScratchOrgExpired, ScratchAuthUrlRefused, SessionError.
    """
    require_unregistered(scratch.username, scratch.record.org_id)
    url = auth_url_of(scratch)
    return retry_when_gone(partial(_scratch_session, scratch, url, by, audit_action))


def _scratch_session(
    scratch: ScratchOrg, url: AuthUrl, by: Principal, audit_action: audit.Action | None
) -> ScratchSession:
    credential = credential_for(url)
    _check_owner(credential, scratch)
    issued = _issue(credential, url, scratch, by)
    newest = _write_back(credential, url, scratch, by)
    record_issue = partial(credential_release.record_issue, credential.pk, target=scratch.audit_target, by=by)
    if audit_action is not None:
        record_issue(audit_action, token=issued.session.access_token)
    released = ""
    if audit_action is not None and _is_releasable(credential, by):
        released = newest.reveal()
        record_issue(audit.Action.AUTH_URL, token=newest.refresh_token)
    refresh = partial(_refresh, scratch, by)
    return ScratchSession(
        scratch.username,
        issued.session,
        credential.pk,
        refresh,
        scratch.audit_target,
        issued.reused,
        auth_url=released,
    )


def _refresh(scratch: ScratchOrg, by: Principal) -> Session:
    return scratch_session(scratch, by=by).session


def _check_owner(credential: Credential, scratch: ScratchOrg) -> None:
    """Raise ScratchOrgMismatch for a known token of another org, before it is sent to Salesforce."""
    owner = credential.owner
    if owner is not None and owner.org_id != scratch.record.org_id:
        raise ScratchOrgMismatch(scratch.username)


def _issue(credential: Credential, url: AuthUrl, scratch: ScratchOrg, by: Principal) -> IssuedSession:
    """Return a session, and store the credential once Salesforce has confirmed that it is of this org."""
    try:
        issued = open_session(credential, SessionRequest(by=by, target=scratch.audit_target, submitted_auth_url=url))
    except CredentialRefused as error:
        _delete_refused(credential)
        if isinstance(error, OrgGone):
            raise ScratchOrgExpired(scratch.username, "Salesforce reports it as deleted") from error
        refusal = f"{error}{login_host_advice(error, url)}"
        raise ScratchAuthUrlRefused(error.code, scratch.username, refusal) from error
    except OrgError:
        delete_if_unused(credential)
        raise
    if issued.session.org_id != scratch.record.org_id:
        delete_if_unused(credential)
        raise ScratchOrgMismatch(scratch.username)
    _store(credential, issued.session, scratch)
    return issued


def _store(credential: Credential, session: Session, scratch: ScratchOrg) -> None:
    """Make a credential the scratch org's, in place of its previous one, and record that it was used."""
    with transaction.atomic():
        credential = require_locked_credential(credential.pk)
        grant, _ = OnDemandGrant.objects.get_or_create(parent=scratch.hub, name=scratch.username.lower())
        if credential.owner not in (None, grant):
            return  # A pool instance has it, or a registration has just taken it.
        grant.username, grant.org_id, grant.instance_url = scratch.username, session.org_id, session.instance_url
        grant.last_used_at = datetime.now(UTC)
        grant.save()
        if grant.credential_id != credential.pk:
            link_credential(grant, credential)


def _delete_refused(credential: Credential) -> None:
    """Delete a refused credential and its row: the auth URL is in the record, so the next caller can start over.

    A credential that rotated is kept, because the record does not have its newest token; so is one of another owner.
    """
    with transaction.atomic():
        row = lock_credential(credential.pk)
        if row is None or row.ever_rotated:
            return
        if row.owner is None or isinstance(row.owner, OnDemandGrant):
            OnDemandGrant.objects.filter(credential=row).delete()
            row.delete()


def _write_back(credential: Credential, url: AuthUrl, scratch: ScratchOrg, by: Principal) -> AuthUrl:
    """Return the newest auth URL, after storing it in the record if the token has rotated since.

    Other readers of the record would use a spent token otherwise. If the DevHub does not allow the write, the
    spent token still leads to this credential here.
    """
    row = Credential.objects.with_secrets().filter(pk=credential.pk).first()
    if row is None:
        raise CredentialGone
    newest = decrypt_grant(row).auth_url
    if newest.refresh_token != url.refresh_token:
        mark_released([newest])
        write_auth_url(scratch, newest, by=by)
    return newest


def _is_releasable(credential: Credential, by: Principal) -> bool:
    """Return True if the auth URL itself may be released: not to members, and never one that rotates."""
    try:
        credential_release.require_release_allowed(by)
    except (CredentialsForbidden, AuthUrlReleaseOff):
        return False
    current = Credential.objects.filter(pk=credential.pk).first()
    return current is not None and credential_release.is_shareable(current)
