"""Opens a scratch org that nobody registered, by the auth URL in its DevHub's record of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from django.db import transaction

from authn import audit
from authn.principals import Principal
from orgs import credential_release
from orgs.credentials import (
    Credential,
    CredentialGone,
    CredentialRefused,
    IssuedSession,
    OrgError,
    OrgGone,
    SessionRequest,
    call,
    credential_for,
    decrypt_grant,
    error_for,
    failure_of,
    host_policy,
    mark_released,
    open_session,
    retry_when_gone,
    unlink_other_owners,
)
from orgs.errors import AuthUrlReleaseOff, CredentialsForbidden, InvalidRequest
from orgs.models import SalesforceOrg
from orgs.org_sessions import ParentSessions
from orgs.registration import bind, forget_if_unused
from orgs.salesforce import (
    AuthUrl,
    ForeignAuthUrl,
    InvalidAuthUrl,
    SalesforceClient,
    SalesforceError,
    ScratchOrgRecord,
    Session,
)
from orgs.salesforce.errors import RequestRefused
from sandboxes.errors import (
    AlreadyRegistered,
    NotFound,
    ScratchAuthUrlRefused,
    ScratchOrgExpired,
    ScratchOrgMismatch,
    SearchIncomplete,
)
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand.fan_out import OrgAnswer, query_all
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.on_demand.parents import credential_id_of


@dataclass(frozen=True, slots=True)
class ScratchOrg:
    """A scratch org as its DevHub knows it."""

    hub: SalesforceOrg
    record: ScratchOrgRecord

    @property
    def username(self) -> str:
        """Return its username, as the DevHub spells it."""
        return self.record.username


@dataclass(frozen=True, slots=True)
class ScratchSession(OrgSession):
    """An opened scratch org, with its auth URL, "" where that may not go out."""

    auth_url: str = field(default="", repr=False)


def find_scratch_org(username: str, hubs: list[SalesforceOrg], *, by: Principal) -> ScratchOrg:
    """Return the scratch org of a username that one of some DevHubs knows.

    Raises NotFound, ScratchOrgExpired, InvalidRequest (SFDX_AUTH_URL_MISSING), SearchIncomplete; what its
    only DevHub could not be asked for.
    """
    if len(hubs) == 1:
        replies = [OrgAnswer(hubs[0], _record(hubs[0], username, by))]
    else:
        replies = query_all(hubs, lambda hub: _record(hub, username, by))
    for reply in replies:
        if reply.found:
            _require_active(reply.found)
            return ScratchOrg(reply.org, reply.found)
    # A hub that lacks the field has no key to give, and asking it again later changes nothing.
    if unasked := [reply for reply in replies if reply.unasked not in ("", "SFDX_AUTH_URL_MISSING")]:
        names = [f"{reply.org.username} ({reply.unasked})" for reply in unasked]
        raise SearchIncomplete(f"The scratch org {username}", names)
    raise NotFound(
        "SCRATCH_ORG_NOT_FOUND",
        f"No scratch org {username} is known to {', '.join(map(_named, replies))}.",
        "Check the username: sf org list. If its DevHub is not listed, an owner can register it.",
    )


def _named(reply: OrgAnswer[ScratchOrgRecord]) -> str:
    lacking = f" (which has no field {settings.SCRATCH_AUTH_URL_FIELD})" if reply.unasked else ""
    return reply.org.username + lacking


def require_unregistered(username: str, org_id: str = "") -> None:
    """Raise AlreadyRegistered when a registered org is meant."""
    org = SalesforceOrg.objects.with_username(username).first()
    if org is None and org_id:
        org = SalesforceOrg.objects.filter(org_id=org_id).first()
    if org is not None:
        raise AlreadyRegistered("SCRATCH_ORG_REGISTERED", "scratch org", org)


def scratch_session(scratch: ScratchOrg, *, by: Principal, action: audit.Action | None = None) -> ScratchSession:
    """Return a fresh session of a scratch org, by the auth URL in its record.

    A token that rotates is written back to the record where the DevHub allows that. `action` is the
    audit action under which a client gets the token. Raises InvalidRequest, ScratchOrgMismatch,
    ScratchAuthUrlRefused, SessionError.
    """
    require_unregistered(scratch.username, scratch.record.org_id)
    url = _auth_url_of(scratch)
    return retry_when_gone(partial(_scratch_session, scratch, url, by, action))


def _scratch_session(scratch: ScratchOrg, url: AuthUrl, by: Principal, action: audit.Action | None) -> ScratchSession:
    credential = credential_for(url)
    _check_owner(credential, scratch)
    issued = _open(credential, url, scratch, by)
    newest = _write_back(credential, url, scratch, by)
    record = partial(credential_release.record_issue, credential.pk, org=scratch.username, by=by)
    if action is not None:
        record(action, token=issued.session.access_token)
    released = ""
    if action is not None and _is_releasable(credential, by):
        released = newest.reveal()
        record(audit.Action.AUTH_URL, token=newest.refresh_token)
    reopen = partial(_reopen, scratch, by)
    return ScratchSession(scratch.username, issued.session, credential.pk, reopen, issued.reused, auth_url=released)


def _reopen(scratch: ScratchOrg, by: Principal) -> Session:
    return scratch_session(scratch, by=by).session


# --- The record ------------------------------------------------------------------------------------


def _record(hub: SalesforceOrg, username: str, by: Principal) -> ScratchOrgRecord | None:
    """Ask a DevHub for its record."""

    def question(salesforce: SalesforceClient, session: Session) -> ScratchOrgRecord | None:
        return salesforce.scratch_org(session, username, auth_url_field=settings.SCRATCH_AUTH_URL_FIELD)

    try:
        _, record = call(credential_id_of(hub), ParentSessions(hub, by), question)
    except RequestRefused as refusal:
        if refusal.error_code == "INVALID_FIELD":
            raise _no_auth_url(username, f"{hub.username} has no field {settings.SCRATCH_AUTH_URL_FIELD}") from refusal
        raise error_for("UPSTREAM_REFUSED") from refusal
    except SalesforceError as error:
        raise failure_of(error).error(error.retry_after) from error
    return record


def _require_active(record: ScratchOrgRecord) -> None:
    if record.status in ("New", "Creating"):
        raise error_for("ORG_NOT_READY")
    if record.status != "Active":
        raise ScratchOrgExpired(record.username, record.status)
    if record.expires and record.expires < datetime.now(UTC).date():
        raise ScratchOrgExpired(record.username, f"it expired on {record.expires}")


def _auth_url_of(scratch: ScratchOrg) -> AuthUrl:
    """Read the auth URL in a record: whoever may edit the DevHub's records wrote it, so it is not trusted."""
    text = scratch.record.auth_url
    if not text:
        raise _no_auth_url(scratch.username, f"{settings.SCRATCH_AUTH_URL_FIELD} is empty")
    try:
        return AuthUrl.parse(text, host_policy())
    except ForeignAuthUrl as error:
        raise error_for("UPSTREAM_UNTRUSTED_URL") from error
    except InvalidAuthUrl as error:
        raise _no_auth_url(scratch.username, f"{settings.SCRATCH_AUTH_URL_FIELD} holds no auth URL") from error


def _no_auth_url(username: str, why: str) -> InvalidRequest:
    return InvalidRequest(
        "SFDX_AUTH_URL_MISSING",
        f"The DevHub's record of {username} has no auth URL: {why}.",
        "Have whatever makes the scratch org write its auth URL there; a DevHub that logs in by JWT gives none.",
    )


def _write_back(credential: Credential, url: AuthUrl, scratch: ScratchOrg, by: Principal) -> AuthUrl:
    """Return the newest auth URL, after storing it in the record if it is another one by now.

    Whoever reads the record would otherwise use a spent token. A DevHub that does not allow it
    costs nothing here: the old token stays known.
    """
    row = Credential.objects.with_secrets().filter(pk=credential.pk).first()
    if row is None:
        raise CredentialGone
    newest = decrypt_grant(row).auth_url
    if newest.refresh_token == url.refresh_token:
        return newest
    mark_released([newest])

    def write(salesforce: SalesforceClient, session: Session) -> None:
        salesforce.write_auth_url(session, scratch.record, newest, field=settings.SCRATCH_AUTH_URL_FIELD)

    code = ""
    try:
        call(credential_id_of(scratch.hub), ParentSessions(scratch.hub, by), write)
    except SalesforceError as error:
        code = failure_of(error).code
    except OrgError as error:
        code = error.code
    ended = audit.Outcome.FAILED if code else audit.Outcome.GRANTED
    facts = {"org": scratch.username, "code": code, "token": newest.refresh_token}
    audit.record(audit.Action.AUTH_URL_WRITTEN, ended, by=by, **facts)
    return newest


def _is_releasable(credential: Credential, by: Principal) -> bool:
    """Return True if the auth URL itself may be released: not to members, and never one that rotates."""
    try:
        credential_release.require_release_allowed(by)
    except (CredentialsForbidden, AuthUrlReleaseOff):
        return False
    current = Credential.objects.filter(pk=credential.pk).first()
    return current is not None and credential_release.is_shareable(current)


# --- Its key ---------------------------------------------------------------------------------------


def _check_owner(credential: Credential, scratch: ScratchOrg) -> None:
    """Refuse a known token of another org, before it is sent anywhere."""
    owner = credential.owner
    if owner is not None and owner.org_id != scratch.record.org_id:
        raise ScratchOrgMismatch(scratch.username)


def _open(credential: Credential, url: AuthUrl, scratch: ScratchOrg, by: Principal) -> IssuedSession:
    """Open a session, and keep the key as a grant once Salesforce has told that it is this org's."""
    try:
        opened = open_session(credential, SessionRequest(by=by, org=scratch.username, submitted_auth_url=url))
    except CredentialRefused as error:
        _discard(credential)
        if isinstance(error, OrgGone):
            raise ScratchOrgExpired(scratch.username, "Salesforce says so") from error
        raise ScratchAuthUrlRefused(error.code, scratch.username, str(error)) from error
    except OrgError:
        forget_if_unused(credential)
        raise
    if opened.session.org_id != scratch.record.org_id:
        forget_if_unused(credential)
        raise ScratchOrgMismatch(scratch.username)
    _store(credential, opened.session, scratch)
    return opened


def _store(credential: Credential, session: Session, scratch: ScratchOrg) -> None:
    """Make a credential the scratch org's own, in place of a former one, and note that it was used."""
    with transaction.atomic():
        held = Credential.objects.select_for_update(of=("self",)).filter(pk=credential.pk).first()
        if held is None:
            raise CredentialGone
        grant, _ = OnDemandGrant.objects.get_or_create(parent=scratch.hub, name=scratch.username.lower())
        if held.owner not in (None, grant):
            return  # A pool instance, or by now a registration, has it.
        former = grant.credential_id
        grant.username, grant.org_id, grant.instance_url = scratch.username, session.org_id, session.instance_url
        grant.credential, grant.last_used_at = held, datetime.now(UTC)
        unlink_other_owners(held, grant)
        grant.save()
        if former != held.pk:
            bind(held, grant)
            Credential.objects.filter(pk__in=[former] if former else []).delete()


def _discard(credential: Credential) -> None:
    """Delete a refused key, and its grant: it stands in the record, so that the next caller starts anew.

    One that rotated does not stand there, or is kept by another owner.
    """
    with transaction.atomic():
        unused = Credential.objects.select_for_update(of=("self",)).filter(pk=credential.pk, ever_rotated=False)
        row = unused.first()
        if row is not None and (row.owner is None or isinstance(row.owner, OnDemandGrant)):
            OnDemandGrant.objects.filter(credential=row).delete()
            row.delete()
