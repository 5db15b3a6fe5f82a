"""The credential engine: the one way from a stored refresh token to a session.

Salesforce allows one refresh of a token at a time, and revokes the whole family when a spent token
is used again. So one caller refreshes, under the refresh lock (attempts); all others wait meanwhile
(single_flight) and adopt the outcome, success or failure. docs/architecture.md draws it.
"""

import math
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models.functions import Now

from orgs.credentials import replay, spool
from orgs.credentials.attempts import Attempt, abandon, acquire, commit, send
from orgs.credentials.envelopes import decrypt_grant, decrypt_session
from orgs.credentials.errors import (
    CredentialRefused,
    CredentialTampered,
    OrgError,
    SessionError,
    SpoolUnavailable,
    SpoolUnreadable,
)
from orgs.credentials.failures import blocking_failure, error_for, recorded_failure
from orgs.credentials.hash_key import require_unsealed
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Failed, Lost, Outcome
from orgs.credentials.refresh_lock import LockStatus
from orgs.credentials.session_request import ParentUnavailable, SessionRequest, record_result
from orgs.credentials.session_results import CredentialGone, Gone, IssuedSession, Refused
from orgs.credentials.single_flight import first_to_acquire, wait_for_attempt

# A waiting caller gives an attempt its whole time-out, and a little for the two transactions around it.
_WAIT_BEYOND_TIMEOUT = 2.0
_PAUSE_WHEN_FREE = 0.05
_PAUSES_FOR_OTHERS = (0.02, 0.1)
# When the login budget is spent, a token up to this age is issued again, and the response says that it is reused.
_REUSED_UNTIL = timedelta(minutes=10)
# A registration that fails deletes its new credential; callers who waited for it start again.
_TRIES_WHEN_GONE = 3

Result = TypeVar("Result")


def open_session(credential: Credential, request: SessionRequest) -> IssuedSession:
    """Return a session that was issued after this call began.

    Raises SessionError, CredentialTampered, DeskSealed, SpoolUnavailable, AuditUnavailable, CredentialGone.
    """
    match request_session(credential, request):
        case IssuedSession() as issued:
            return issued
        case Refused(error=error):
            raise error
        case Gone():
            raise CredentialGone


def request_session(
    credential: Credential, request: SessionRequest, *, is_current: bool = False
) -> IssuedSession | Refused | Gone:
    """Refresh under the lock, or adopt the outcome of an attempt that ended after this call had read the row.

    `is_current` says that `credential` was read after the client's request came in, and need not be read again.

    A host or client secret that was submitted with the request is tried nevertheless, if that attempt cannot
    have used it. A permanent failure on record is returned without a call, unless `request.force` is set. If
    `request.create_grant` is set, a grant is created in place of a refused one. The result is in the audit
    before this returns. Raises DeskSealed, CredentialTampered, SpoolUnavailable, AuditUnavailable.
    """
    require_unsealed()
    result = _request_once(credential, request, is_current=is_current)
    if isinstance(result, Refused) and result.replaceable:
        # The refusal is on record now, so the next attempt, in whichever process, creates a grant.
        result = _request_once(credential, request, is_current=False)
    return result


def retry_when_gone(work: Callable[[], Result], request: SessionRequest | None = None) -> Result:
    """Run `work` again, with the credential that its owner has then, as long as it raises CredentialGone.

    Raises SessionError (REFRESH_IN_PROGRESS) after three tries, and records it if `request` is given.
    """
    for _ in range(_TRIES_WHEN_GONE):
        try:
            return work()
        except CredentialGone:
            continue
    raise error_for("REFRESH_IN_PROGRESS") if request is None else refuse_session(request, "REFRESH_IN_PROGRESS")


def refuse_session(request: SessionRequest, code: str, seconds: float | None = None) -> SessionError:
    """Record that the client gets no session. Returns the error to raise; `seconds` is its Retry-After."""
    record_result(request, code)
    return _error(code, seconds)


# --- One round: refresh, or wait and adopt ---------------------------------------------------------


def _request_once(
    credential: Credential, request: SessionRequest, *, is_current: bool
) -> IssuedSession | Refused | Gone:
    """Return the result, and record it unless the attempt has."""
    try:
        result = _refresh_or_adopt(credential, request, is_current=is_current)
    except CredentialGone:
        return Gone()
    except OrgError as error:
        record_result(request, error.code)
        if isinstance(error, SessionError):
            return Refused(error)
        raise
    if isinstance(result, Refused) and not result.audited:
        record_result(request, result.error.code)
    if isinstance(result, IssuedSession) and not result.audited:
        record_result(request, token=result.session.access_token)
    return result


def _refresh_or_adopt(credential: Credential, request: SessionRequest, *, is_current: bool) -> IssuedSession | Refused:
    snapshot = _load(credential, is_current=is_current)
    if (failure := blocking_failure(snapshot)) and not (request.force or request.create_grant):
        return Refused(failure.error(snapshot.outcome_retry_after, detail=snapshot.outcome_detail))
    deadline = time.monotonic() + settings.SALESFORCE_TIMEOUT_SECONDS + _WAIT_BEYOND_TIMEOUT
    while True:
        with first_to_acquire(snapshot.pk) as first:
            attempt = acquire(snapshot, request) if first else None
        if attempt is not None:
            return _finish(attempt, request)
        status = wait_for_attempt(snapshot.pk, snapshot.generation, deadline=deadline)
        if status is None:
            raise CredentialGone
        if status.generation > snapshot.generation:
            if not _submits_other_app(snapshot, request):
                return _adopt(snapshot, request)
            snapshot = _load(credential, is_current=False)
        elif status.blocked_by and not status.lock_remaining:
            return _reuse_or_refuse(snapshot, status)
        elif not status.lock_remaining and snapshot.sent_at:
            _replay_spooled(snapshot)
        if time.monotonic() >= deadline:
            return Refused(_error("REFRESH_IN_PROGRESS", status.lock_remaining))
        if not status.lock_remaining:
            time.sleep(_PAUSE_WHEN_FREE)


def _load(credential: Credential, *, is_current: bool) -> Credential:
    """Load the credential unless it is current, replaying this node's spooled response first.

    Raises SpoolUnreadable for a response that cannot be read: it may hold the newest refresh token.
    """
    row = credential if is_current else _read(credential)
    if row.sent_at is None or not _replay_spooled(row):
        return row
    return _read(credential)


def _read(credential: Credential) -> Credential:
    row = Credential.objects.with_owners().filter(pk=credential.pk).first()
    if row is None:
        raise CredentialGone
    return row


def _replay_spooled(row: Credential) -> bool:
    """Commit the spooled responses of a credential. Returns True if there were files.

    Raises SpoolUnreadable, SpoolUnavailable.
    """
    try:
        if not spool.files(row.pk):
            return False
        for pause in (*_PAUSES_FOR_OTHERS, None):
            replay.replay_credential(row.pk)
            since = Credential.objects.filter(pk=row.pk).values_list("unanswered_since", flat=True).first()
            unread = [] if since is None else spool.unread(row.pk, since=since)
            if not unread:
                return True
            if pause is not None:
                time.sleep(pause)  # Another thread may have locked the file and not yet committed it.
    except OSError as error:
        raise SpoolUnavailable from error
    raise SpoolUnreadable(unread)


# --- This caller refreshes -------------------------------------------------------------------------


def _finish(attempt: Attempt, request: SessionRequest) -> IssuedSession | Refused:
    """Send the refresh and end the attempt. Its transaction records what the client gets."""
    with attempt.spool:
        try:
            outcome = send(attempt)
        except ParentUnavailable as failed:
            abandon(attempt, failed.error.code, request)
            return Refused(failed.error, audited=True)
        rejected = attempt.is_rejected_trial(outcome)
        if rejected:
            abandon(attempt, outcome.code, request)
        elif not commit(attempt, outcome, request):
            return _superseded(attempt, outcome, request)
    if isinstance(outcome, Failed | Lost):
        error = error_for(outcome.code, outcome.retry_after, outcome.detail)
        replaceable = _is_replaceable(error, request) and attempt.create_grant is None and not rejected
        return Refused(error, is_fresh=not rejected, replaceable=replaceable, audited=True)
    return IssuedSession(outcome.session, audited=True)


def _superseded(attempt: Attempt, outcome: Outcome, request: SessionRequest) -> IssuedSession | Refused:
    """Handle an outcome that the row does not wait for: another attempt has ended, or the credential was deleted."""
    if Credential.objects.filter(pk=attempt.snapshot.pk).exists():
        attempt.spool.remove()
        return _adopt(attempt.snapshot, request)
    replay.revoke_orphan(attempt.snapshot.pk, outcome.new_auth_url)
    attempt.spool.remove()
    raise CredentialGone


def _is_replaceable(error: SessionError, request: SessionRequest) -> bool:
    return request.create_grant is not None and isinstance(error, CredentialRefused)


# --- This caller waited for another's attempt ------------------------------------------------------


def _submits_other_app(snapshot: Credential, request: SessionRequest) -> bool:
    """Return True if the caller submitted a host or client secret that the newest attempt cannot have tried."""
    submitted = request.submitted_auth_url
    if submitted is None:
        return False
    row = Credential.objects.with_secrets().filter(pk=snapshot.pk).first()
    if row is None or row.sealed_grant is None:
        return False
    stored = decrypt_grant(row).auth_url
    return (stored.host, stored.client_secret) != (submitted.host, submitted.client_secret)


def _adopt(snapshot: Credential, request: SessionRequest) -> IssuedSession | Refused:
    """Return the outcome of the newest attempt, which ended after this caller had read `snapshot`."""
    # One query for the secrets and their owner: two queries might read two different states.
    credential = Credential.objects.with_secrets().filter(pk=snapshot.pk).first()
    if credential is None:
        raise CredentialGone
    if credential.outcome:
        error = error_for(credential.outcome, credential.outcome_retry_after, credential.outcome_detail)
        # Without a grant, the attempt was one to create a grant, and another would end the same way.
        had_grant = credential.sealed_grant is not None
        return Refused(error, replaceable=had_grant and _is_replaceable(error, request))
    session = decrypt_session(credential)
    if session is None:
        raise CredentialTampered
    return IssuedSession(session)


def _reuse_or_refuse(snapshot: Credential, status: LockStatus) -> IssuedSession | Refused:
    """Return the newest session if the login budget is spent and it is young enough, else the refusal."""
    if status.blocked_by == "LOGIN_BUDGET":
        fresh = Credential.objects.with_secrets().filter(pk=snapshot.pk, last_success_at__gt=Now() - _REUSED_UNTIL)
        row = fresh.first()
        if row and not _forbids_reuse(row) and (session := decrypt_session(row)):
            return IssuedSession(session, reused=True)
    return Refused(_error(status.blocked_by, status.block_remaining))


def _forbids_reuse(credential: Credential) -> bool:
    """Return True if the last attempt showed that the org has changed or its credential is refused."""
    return recorded_failure(credential) is not None or credential.outcome == "ORG_ID_MISMATCH"


def _error(code: str, seconds: float | None) -> SessionError:
    return error_for(code, max(1, math.ceil(seconds)) if seconds else None)
