"""The credential engine: the one way from a stored refresh token to a session.

Salesforce allows one refresh of a token at a time, and ends the whole family when a spent token
is used again. So one caller refreshes, under a lease (orgs/minting.py); whoever asks meanwhile
waits (orgs/waiting.py) and adopts the outcome, success or failure. docs/architecture.md draws it.
"""

import math
import time
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from orgs import replay, spool
from orgs.asking import Asking, KeyMakerFailed
from orgs.desk_keys import require_unsealed
from orgs.endings import BY_CODE, Ending, error_for
from orgs.envelopes import open_grant, open_session_of
from orgs.errors import CredentialRefused, CredentialTampered, SessionError, SpoolUnavailable, SpoolUnreadable
from orgs.leases import Sight
from orgs.minting import Attempt, ask, audit_handing_out, begin, end, end_without_outcome
from orgs.models import Credential
from orgs.salesforce import Session
from orgs.waiting import wait_for_attempt

# A waiter gives an attempt its whole time-out, and a little for the two transactions around it.
_PATIENCE_BEYOND_TIMEOUT = 2.0
_PAUSE_WHEN_FREE = 0.05
_PAUSES_FOR_OTHERS = (0.02, 0.1)
# When the login budget is spent, a token of this age will do, and the answer says so.
_REUSED_UNTIL = timedelta(minutes=10)


class CredentialGone(Exception):
    """The credential was deleted while somebody waited for it. Its owner may have another."""


class _KeyRefused(Exception):
    """Salesforce refuses the key for good, and another can be made."""

    def __init__(self, error: SessionError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, and whether it is an older one that was handed out again to save a log-in."""

    session: Session
    reused: bool = False


def open_session(credential: Credential, asking: Asking) -> Opened:
    """Return a session that was made after this call began.

    Mints one under the lease, or adopts the outcome of an attempt that ended after this call had
    read the row. What is `asking.offered` is tried, though, where it is not what that attempt left
    stored. A definite refusal that is on record is answered without a call, unless
    `asking.ask_again`. Where `asking.make_key` can make a key, it does so in place of a refused one.
    Raises SessionError, CredentialTampered, DeskSealed, SpoolUnavailable, CredentialGone.
    """
    try:
        return _open(credential, asking)
    except _KeyRefused:
        pass  # It is on record now, so that the next attempt, whoever makes it, makes a key.
    try:
        return _open(credential, asking)
    except _KeyRefused as refusal:
        raise refusal.error from refusal


def _open(credential: Credential, asking: Asking) -> Opened:
    require_unsealed()
    arrival = _arrive(credential, asking)
    if (ending := refusal_on_record(arrival)) and not (asking.ask_again or asking.make_key):
        audit_handing_out(asking, ending.code)
        raise ending.error(arrival.outcome_retry_after)
    deadline = time.monotonic() + settings.SALESFORCE_TIMEOUT_SECONDS + _PATIENCE_BEYOND_TIMEOUT
    while True:
        if attempt := _begin(arrival, asking):
            return _finish(attempt, asking)
        sight = _wait(arrival, asking, deadline)
        if sight.generation > arrival.generation:
            if not _brings_another(arrival, asking):
                return _adopt(arrival, asking)
            arrival = _arrive(credential, asking)
        elif sight.hindrance and not sight.lease_rest:
            return _hindered(arrival, asking, sight)
        elif not sight.lease_rest and arrival.sent_at:
            _replay_spooled(arrival, asking)
        if time.monotonic() >= deadline:
            raise refuse(asking, "REFRESH_IN_PROGRESS", sight.lease_rest)
        if not sight.lease_rest:
            time.sleep(_PAUSE_WHEN_FREE)


# --- Arriving --------------------------------------------------------------------------------------


def _arrive(credential: Credential, asking: Asking) -> Credential:
    """Load the credential, replaying this node's spooled response first.

    Raises SpoolUnreadable for a response that cannot be read: it may hold the newest refresh token.
    """
    row = _read(credential)
    if row.sent_at is None or not _replay_spooled(row, asking):
        return row
    return _read(credential)


def _replay_spooled(row: Credential, asking: Asking) -> bool:
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
        audit_handing_out(asking, SpoolUnavailable.code)
        raise SpoolUnavailable from error
    audit_handing_out(asking, SpoolUnreadable.code)
    raise SpoolUnreadable(lying)


def _read(credential: Credential) -> Credential:
    row = Credential.objects.filter(pk=credential.pk).first()
    if row is None:
        raise CredentialGone
    return row


def refusal_on_record(credential: Credential) -> Ending | None:
    """Return the definite refusal that a credential ended in, which is not asked for again."""
    ending = BY_CODE.get(credential.outcome)
    return ending if ending and ending.definite else None


# --- Minting ---------------------------------------------------------------------------------------


def _begin(arrival: Credential, asking: Asking) -> Attempt | None:
    try:
        return begin(arrival, asking)
    except (CredentialTampered, SpoolUnavailable) as error:
        audit_handing_out(asking, error.code)
        raise


def _finish(attempt: Attempt, asking: Asking) -> Opened:
    with attempt.spool:
        try:
            outcome = ask(attempt)
        except KeyMakerFailed as failed:
            end_without_outcome(attempt, getattr(failed.error, "code", ""), asking)
            raise failed.error from failed
        if attempt.is_wrong_guess(outcome):
            end_without_outcome(attempt, outcome.code, asking)
            raise error_for(outcome.code, outcome.retry_after)
        if not end(attempt, outcome, asking):
            # Another has ended an attempt meanwhile, or the credential was deleted.
            if Credential.objects.filter(pk=attempt.arrival.pk).exists():
                attempt.spool.remove()
                return _adopt(attempt.arrival, asking)
            replay.revoke_orphan(attempt.arrival.pk, outcome)
            attempt.spool.remove()
            raise CredentialGone
    if outcome.session is None:
        error = error_for(outcome.code, outcome.retry_after)
        error.is_news = True
        raise _refusal_of_key(error, asking, was_made=attempt.make_key is not None)
    return Opened(outcome.session)


def _refusal_of_key(error: SessionError, asking: Asking, *, was_made: bool) -> Exception:
    """Return the error to raise: another one where a key can be made in place of the refused one."""
    can_make = asking.make_key is not None and not was_made and isinstance(error, CredentialRefused)
    return _KeyRefused(error) if can_make else error


# --- Waiting, and what comes of it -----------------------------------------------------------------


def _wait(arrival: Credential, asking: Asking, deadline: float) -> Sight:
    try:
        sight = wait_for_attempt(arrival.pk, arrival.generation, deadline=deadline)
    except (SessionError, SpoolUnavailable) as error:
        audit_handing_out(asking, error.code)
        raise
    if sight is None:
        raise CredentialGone
    return sight


def _brings_another(arrival: Credential, asking: Asking) -> bool:
    """Tell whether the caller's host or client secret is none that the newest attempt can have tried."""
    if asking.offered is None:
        return False
    row = Credential.objects.with_secrets().filter(pk=arrival.pk).first()
    if row is None or row.sealed_grant is None:
        return False
    stored = open_grant(row).auth_url
    return (stored.host, stored.client_secret) != (asking.offered.host, asking.offered.client_secret)


def _adopt(arrival: Credential, asking: Asking) -> Opened:
    """Return, or raise, the outcome of the newest attempt, which is newer than this caller."""
    # One query for the secrets and their owner: read apart, they may be of two moments.
    credential = Credential.objects.with_secrets().filter(pk=arrival.pk).first()
    if credential is None:
        raise CredentialGone
    if credential.outcome:
        error = refuse(asking, credential.outcome, credential.outcome_retry_after)
        # Without a grant, the attempt was one to make a key, and another would end the same way.
        raise _refusal_of_key(error, asking, was_made=credential.sealed_grant is None)
    session = open_session_of(credential)
    if session is None:
        raise CredentialTampered
    audit_handing_out(asking, token=session.access_token)
    return Opened(session)


def _hindered(arrival: Credential, asking: Asking, sight: Sight) -> Opened:
    """Answer a caller for whom no log-in may be made now: by the newest token, or by saying when."""
    if sight.hindrance == "LOGIN_BUDGET":
        fresh = Credential.objects.with_secrets().filter(pk=arrival.pk, last_success_at__gt=Now() - _REUSED_UNTIL)
        row = fresh.first()
        if row and not _speaks_against_reuse(row) and (session := open_session_of(row)):
            audit_handing_out(asking, token=session.access_token)
            return Opened(session, reused=True)
    raise refuse(asking, sight.hindrance, sight.hindrance_rest)


def _speaks_against_reuse(credential: Credential) -> bool:
    """Tell whether the last attempt told that the org or the credential is not what it was."""
    return bool(refusal_on_record(credential)) or credential.outcome == "ORG_ID_MISMATCH"


def refuse(asking: Asking, code: str, rest: float | None = None) -> SessionError:
    """Record that nothing was handed out, and return the error that says why and for how long."""
    audit_handing_out(asking, code)
    return error_for(code, max(1, math.ceil(rest)) if rest else None)
