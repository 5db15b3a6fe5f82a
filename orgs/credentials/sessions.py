"""The credential engine: the one way from a stored refresh token to a session.

Salesforce allows one refresh of a token at a time, and ends the whole family when a spent token
is used again. So one caller refreshes, under a lease (orgs/credentials/attempts.py); whoever asks meanwhile
waits (orgs/credentials/single_flight.py) and adopts the outcome, success or failure. docs/architecture.md draws it.
"""

import math
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from orgs.credentials import replay, spool
from orgs.credentials.attempts import Attempt, abandon, acquire, audit_issue, commit, send
from orgs.credentials.envelopes import decrypt_grant, decrypt_session
from orgs.credentials.errors import (
    CredentialRefused,
    CredentialTampered,
    SessionError,
    SpoolUnavailable,
    SpoolUnreadable,
)
from orgs.credentials.failures import BY_CODE, Failure, error_for
from orgs.credentials.hash_key import require_unsealed
from orgs.credentials.models import Credential
from orgs.credentials.refresh_lock import LockStatus
from orgs.credentials.session_request import ParentUnavailable, SessionRequest
from orgs.credentials.single_flight import wait_for_attempt
from orgs.salesforce import Session

# A waiter gives an attempt its whole time-out, and a little for the two transactions around it.
_WAIT_BEYOND_TIMEOUT = 2.0
_PAUSE_WHEN_FREE = 0.05
_PAUSES_FOR_OTHERS = (0.02, 0.1)
# When the login budget is spent, a token of this age will do, and the answer says so.
_REUSED_UNTIL = timedelta(minutes=10)


class CredentialGone(Exception):
    """The credential was deleted while somebody waited for it. Its owner may have another."""


class _GrantRefused(Exception):
    """Salesforce refuses the key for good, and another can be made."""

    def __init__(self, error: SessionError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A session, and whether it is an older one that was handed out again to save a log-in."""

    session: Session
    reused: bool = False


def open_session(credential: Credential, asking: SessionRequest) -> IssuedSession:
    """Return a session that was made after this call began.

    Mints one under the lease, or adopts the outcome of an attempt that ended after this call had
    read the row. What is `asking.offered` is tried, though, where it is not what that attempt left
    stored. A definite refusal that is on record is answered without a call, unless
    `asking.ask_again`. Where `asking.make_key` can make a key, it does so in place of a refused one.
    Raises SessionError, CredentialTampered, DeskSealed, SpoolUnavailable, CredentialGone.
    """
    try:
        return _open_once(credential, asking)
    except _GrantRefused:
        pass  # It is on record now, so that the next attempt, whoever makes it, makes a key.
    try:
        return _open_once(credential, asking)
    except _GrantRefused as refusal:
        raise refusal.error from refusal


def _open_once(credential: Credential, asking: SessionRequest) -> IssuedSession:
    require_unsealed()
    snapshot = _load(credential, asking)
    if (ending := recorded_failure(snapshot)) and not (asking.force or asking.create_grant):
        audit_issue(asking, ending.code)
        raise ending.error(snapshot.outcome_retry_after)
    deadline = time.monotonic() + settings.SALESFORCE_TIMEOUT_SECONDS + _WAIT_BEYOND_TIMEOUT
    while True:
        if attempt := _acquire(snapshot, asking):
            return _finish(attempt, asking)
        sight = _wait(snapshot, asking, deadline)
        if sight.generation > snapshot.generation:
            if not _submits_other_app(snapshot, asking):
                return _adopt(snapshot, asking)
            snapshot = _load(credential, asking)
        elif sight.blocked_by and not sight.lock_remaining:
            return _answer_blocked(snapshot, asking, sight)
        elif not sight.lock_remaining and snapshot.sent_at:
            _replay_spooled(snapshot, asking)
        if time.monotonic() >= deadline:
            raise refuse_session(asking, "REFRESH_IN_PROGRESS", sight.lock_remaining)
        if not sight.lock_remaining:
            time.sleep(_PAUSE_WHEN_FREE)


# --- Arriving --------------------------------------------------------------------------------------


def _load(credential: Credential, asking: SessionRequest) -> Credential:
    """Load the credential, replaying this node's spooled response first.

    Raises SpoolUnreadable for a response that cannot be read: it may hold the newest refresh token.
    """
    row = _read(credential)
    if row.sent_at is None or not _replay_spooled(row, asking):
        return row
    return _read(credential)


def _replay_spooled(row: Credential, asking: SessionRequest) -> bool:
    """Write the spooled responses of a credential to it. Returns True if there were files.

    Raises SpoolUnreadable, SpoolUnavailable.
    """
    try:
        if not spool.files(row.pk):
            return False
        for pause in (*_PAUSES_FOR_OTHERS, None):
            replay.replay_credential(row.pk)
            since = Credential.objects.filter(pk=row.pk).values_list("unanswered_since", flat=True).first()
            lying = [] if since is None else spool.unread(row.pk, since=since)
            if not lying:
                return True
            if pause is not None:
                time.sleep(pause)  # Another thread may just have had the file, and not written it yet.
    except OSError as error:
        audit_issue(asking, SpoolUnavailable.code)
        raise SpoolUnavailable from error
    audit_issue(asking, SpoolUnreadable.code)
    raise SpoolUnreadable(lying)


def _read(credential: Credential) -> Credential:
    row = Credential.objects.filter(pk=credential.pk).first()
    if row is None:
        raise CredentialGone
    return row


def recorded_failure(credential: Credential) -> Failure | None:
    """Return the definite refusal that a credential ended in, which is not asked for again."""
    ending = BY_CODE.get(credential.outcome)
    return ending if ending and ending.permanent else None


# --- Minting ---------------------------------------------------------------------------------------


def _acquire(snapshot: Credential, asking: SessionRequest) -> Attempt | None:
    try:
        return acquire(snapshot, asking)
    except (CredentialTampered, SpoolUnavailable) as error:
        audit_issue(asking, error.code)
        raise


def _finish(attempt: Attempt, asking: SessionRequest) -> IssuedSession:
    with attempt.spool:
        try:
            outcome = send(attempt)
        except ParentUnavailable as failed:
            abandon(attempt, getattr(failed.error, "code", ""), asking)
            raise failed.error from failed
        if attempt.is_rejected_trial(outcome):
            abandon(attempt, outcome.code, asking)
            raise error_for(outcome.code, outcome.retry_after)
        if not commit(attempt, outcome, asking):
            # Another has ended an attempt meanwhile, or the credential was deleted.
            if Credential.objects.filter(pk=attempt.snapshot.pk).exists():
                attempt.spool.remove()
                return _adopt(attempt.snapshot, asking)
            replay.revoke_orphan(attempt.snapshot.pk, outcome)
            attempt.spool.remove()
            raise CredentialGone
    if outcome.session is None:
        error = error_for(outcome.code, outcome.retry_after)
        error.is_news = True
        raise _error_or_retry(error, asking, was_made=attempt.create_grant is not None)
    return IssuedSession(outcome.session)


def _error_or_retry(error: SessionError, asking: SessionRequest, *, was_made: bool) -> Exception:
    """Return the error to raise: another one where a key can be made in place of the refused one."""
    can_make = asking.create_grant is not None and not was_made and isinstance(error, CredentialRefused)
    return _GrantRefused(error) if can_make else error


# --- Waiting, and what comes of it -----------------------------------------------------------------


def _wait(snapshot: Credential, asking: SessionRequest, deadline: float) -> LockStatus:
    try:
        sight = wait_for_attempt(snapshot.pk, snapshot.generation, deadline=deadline)
    except (SessionError, SpoolUnavailable) as error:
        audit_issue(asking, error.code)
        raise
    if sight is None:
        raise CredentialGone
    return sight


def _submits_other_app(snapshot: Credential, asking: SessionRequest) -> bool:
    """Tell whether the caller's host or client secret is none that the newest attempt can have tried."""
    if asking.submitted_auth_url is None:
        return False
    row = Credential.objects.with_secrets().filter(pk=snapshot.pk).first()
    if row is None or row.sealed_grant is None:
        return False
    stored = decrypt_grant(row).auth_url
    return (stored.host, stored.client_secret) != (
        asking.submitted_auth_url.host,
        asking.submitted_auth_url.client_secret,
    )


def _adopt(snapshot: Credential, asking: SessionRequest) -> IssuedSession:
    """Return, or raise, the outcome of the newest attempt, which is newer than this caller."""
    # One query for the secrets and their owner: read apart, they may be of two moments.
    credential = Credential.objects.with_secrets().filter(pk=snapshot.pk).first()
    if credential is None:
        raise CredentialGone
    if credential.outcome:
        error = refuse_session(asking, credential.outcome, credential.outcome_retry_after)
        # Without a grant, the attempt was one to make a key, and another would end the same way.
        raise _error_or_retry(error, asking, was_made=credential.sealed_grant is None)
    session = decrypt_session(credential)
    if session is None:
        raise CredentialTampered
    audit_issue(asking, token=session.access_token)
    return IssuedSession(session)


def _answer_blocked(snapshot: Credential, asking: SessionRequest, sight: LockStatus) -> IssuedSession:
    """Answer a caller for whom no log-in may be made now: by the newest token, or by saying when."""
    if sight.blocked_by == "LOGIN_BUDGET":
        fresh = Credential.objects.with_secrets().filter(pk=snapshot.pk, last_success_at__gt=Now() - _REUSED_UNTIL)
        row = fresh.first()
        if row and not _forbids_reuse(row) and (session := decrypt_session(row)):
            audit_issue(asking, token=session.access_token)
            return IssuedSession(session, reused=True)
    raise refuse_session(asking, sight.blocked_by, sight.block_remaining)


def _forbids_reuse(credential: Credential) -> bool:
    """Tell whether the last attempt told that the org or the credential is not what it was."""
    return bool(recorded_failure(credential)) or credential.outcome == "ORG_ID_MISMATCH"


def refuse_session(asking: SessionRequest, code: str, rest: float | None = None) -> SessionError:
    """Record that nothing was handed out, and return the error that says why and for how long."""
    audit_issue(asking, code)
    return error_for(code, max(1, math.ceil(rest)) if rest else None)
