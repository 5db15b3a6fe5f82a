"""One attempt to refresh, from the lease to the outcome. docs/architecture.md draws it.

Two short transactions, (a) before Salesforce is asked and (b) after it has answered. Between them
nothing of the database is held: no transaction, no connection, no lock.
"""

import logging
import time
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import Error, transaction

from authn import audit
from authn.database.connections import release_database
from orgs.credentials import late_responses, outcomes, refresh_lock, replay
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import Binding, Grant, decrypt_grant
from orgs.credentials.errors import CredentialTampered, SalesforceUnavailable, SessionError, SpoolUnavailable
from orgs.credentials.failures import BY_CODE, failure_of
from orgs.credentials.models import Credential, Health
from orgs.credentials.outcomes import Outcome
from orgs.credentials.session_request import GrantCreator, SessionRequest
from orgs.credentials.spool import AttemptId, SpoolFile, SpoolFull, SpoolInUse, files
from orgs.salesforce import SalesforceClient, SalesforceError, TokenAnswer
from orgs.salesforce import errors as wire

logger = logging.getLogger("frontdesk.spool")

# What must be left of a lease for the transaction after a key was made.
_LOCK_MARGIN_SECONDS = 0.5
# "token request is already being processed": somebody outside the desk is at it.
_PAUSE_BEFORE_RETRY = 0.5


class _ResponsePending(Exception):
    """The spool holds a file of an earlier attempt, so that the stored refresh token may be spent."""


@dataclass(slots=True)
class Attempt:
    """A refresh that this thread has the lease for, and the room for its answer.

    Without a `grant` to refresh, `make_key` makes one.
    """

    snapshot: Credential
    grant: Grant | None
    spool: SpoolFile
    unanswered: bool  # the last answer was lost, and may have held the next refresh token
    on_trial: bool = False  # with another host or client secret than the stored one
    create_grant: GrantCreator | None = None
    began: float = field(default_factory=time.monotonic)
    deadline: float = 0.0  # of time.monotonic(): when the lease ends

    def is_rejected_trial(self, outcome: Outcome) -> bool:
        """Tell whether it failed with what the caller offered, which says nothing of what is stored."""
        return self.on_trial and bool(outcome.code) and not outcome.rotated and not outcome.lost


def acquire(snapshot: Credential, asking: SessionRequest) -> Attempt | None:
    """(a) Take the lease, read the grant, audit the attempt and make room for the answer.

    Returns None when another has the lease, has made an attempt since, or none may be made now.
    Raises CredentialTampered, and SpoolUnavailable when the disk has no room; then nothing is sent.
    """
    spool: SpoolFile | None = None
    began = time.monotonic()
    deadline = began + settings.REFRESH_LOCK_SECONDS - _LOCK_MARGIN_SECONDS
    try:
        with transaction.atomic():
            # Before the row is locked: one who waits for the audit must not keep the others waiting for the row.
            audit.record(audit.Action.REFRESH_SENT, audit.Outcome.ATTEMPTED, by=asking.by, org=asking.org)
            if not refresh_lock.acquire_for_refresh(snapshot.pk, snapshot.generation):
                transaction.set_rollback(True)
                return None
            if snapshot.sent_at and snapshot.rotates is not False and files(snapshot.pk):
                raise _ResponsePending
            row = Credential.objects.with_secrets().get(pk=snapshot.pk)
            snapshot.locked_until = row.locked_until  # Which lease is ours, should it be given back.
            create_grant = asking.create_grant if _needs_grant(row) else None
            grant = None if create_grant else decrypt_grant(row)
            spool = SpoolFile.reserve(AttemptId(snapshot.pk, snapshot.generation))
    except _ResponsePending:
        return None  # It may hold the newest refresh token, or a process of this node still waits for it.
    except SpoolInUse:
        return None  # Somebody whose lease has run out is still at it; whoever asks waits.
    except (SpoolFull, OSError) as error:
        raise SpoolUnavailable from error
    except Error:
        if spool is not None:
            spool.close()
        raise
    if grant is None:
        return Attempt(
            snapshot, None, spool, unanswered=False, create_grant=create_grant, began=began, deadline=deadline
        )
    unanswered = row.health == Health.UNCERTAIN and row.rotates is not False
    if asking.submitted_auth_url is None:
        return Attempt(snapshot, grant, spool, unanswered, began=began)
    submitted_auth_url = replace(
        grant.auth_url, host=asking.submitted_auth_url.host, client_secret=asking.submitted_auth_url.client_secret
    )
    grant_on_trial = replace(grant, auth_url=submitted_auth_url)
    return Attempt(
        snapshot, grant_on_trial, spool, unanswered, on_trial=submitted_auth_url != grant.auth_url, began=began
    )


def send(attempt: Attempt) -> Outcome:
    """Ask Salesforce; a new refresh token is on disk before this returns."""
    if attempt.create_grant:
        return _kept(attempt, _create_grant(attempt.create_grant, attempt.deadline))
    if attempt.grant is None:
        raise CredentialTampered
    try:
        with salesforce_slot(attempt.snapshot.pk) as salesforce:
            answer = _refresh(salesforce, attempt, attempt.grant)
    except SalesforceUnavailable as error:
        return Outcome(code=error.code)
    except SalesforceError as error:
        return _failure(attempt, error)
    return _kept(attempt, _read(attempt.grant, answer))


def _kept(attempt: Attempt, outcome: Outcome) -> Outcome:
    """Put a new refresh token on disk."""
    if outcome.rotated:
        _write_to_disk(attempt.spool, outcome)
    return outcome


def _write_to_disk(spool: SpoolFile, outcome: Outcome) -> None:
    try:
        spool.write(outcome.to_text())
    except OSError:
        # The disk failed though it had room. The database may still take the token.
        logger.exception("A new refresh token could not be written to the spool.")


def commit(attempt: Attempt, outcome: Outcome, asking: SessionRequest) -> bool:
    """(b) Write the outcome and its audit. Returns False when the row no longer waits for it."""
    with transaction.atomic():
        row = outcomes.row_to_commit(attempt.snapshot.pk, attempt.snapshot.generation)
        if row is not None:
            outcomes.write(row, outcome, was_issued=asking.audit_action is not None)
            ended = audit.Outcome.GRANTED if outcome.session else audit.Outcome.FAILED
            audit.record(audit.Action.REFRESH_ENDED, ended, by=asking.by, org=asking.org, code=outcome.code)
            token = outcome.session.access_token if outcome.session else ""
            audit_issue(asking, outcome.code, token=token)
    if row is not None:
        attempt.spool.remove()
    return row is not None


def abandon(attempt: Attempt, code: str, asking: SessionRequest) -> None:
    """(b) where the failure says nothing of the credential, which goes on as if nobody had asked.

    It was a host or client secret that the caller offered, or the org that keys are made through.
    """
    with transaction.atomic():
        refresh_lock.release(attempt.snapshot)
        audit.record(audit.Action.REFRESH_ENDED, audit.Outcome.FAILED, by=asking.by, org=asking.org, code=code)
        audit_issue(asking, code)


def audit_issue(asking: SessionRequest, code: str = "", *, token: str = "") -> None:
    """Record that a token was handed out, or with a code why it was not; nothing if none was asked for."""
    if asking.audit_action:
        ended = audit.Outcome.FAILED if code else audit.Outcome.GRANTED
        audit.record(asking.audit_action, ended, by=asking.by, org=asking.org, code=code, token=token)


def _needs_grant(row: Credential) -> bool:
    """Tell whether there is nothing to refresh: no key was made yet, or it was refused for good."""
    ending = BY_CODE.get(row.outcome)
    return row.sealed_grant is None or bool(ending and ending.permanent)


def _create_grant(create_grant: GrantCreator, deadline: float) -> Outcome:
    """Make a key. A failure leaves none: the next caller tries again."""
    try:
        made = create_grant(deadline)
    except SessionError as error:
        return Outcome(code=error.code, retry_after=error.retry_after, without_grant=True)
    except SalesforceError as error:
        return Outcome(code=failure_of(error).code, retry_after=error.retry_after, without_grant=True)
    binding = Binding(made.session.org_id, made.username)
    return Outcome(auth_url=made.auth_url, rotated=True, session=made.session, made_for=binding)


def _refresh(salesforce: SalesforceClient, attempt: Attempt, grant: Grant) -> TokenAnswer:
    """Send the refresh; a second time only where that cannot harm and the lease has time for it."""
    began = time.monotonic()
    try:
        return _send_refresh(salesforce, attempt, grant)
    except wire.AlreadyProcessing:
        time_needed = time.monotonic() - began + _PAUSE_BEFORE_RETRY + settings.SALESFORCE_TIMEOUT_SECONDS
        if attempt.snapshot.rotates is not False or time_needed > settings.REFRESH_LOCK_SECONDS:
            raise  # Whoever is at it may have rotated the token: ours would then end the family.
        if not _may_log_in_again(attempt):
            raise
    time.sleep(_PAUSE_BEFORE_RETRY)
    return salesforce.refresh(grant.auth_url)


def _send_refresh(salesforce: SalesforceClient, attempt: Attempt, grant: Grant) -> TokenAnswer:
    """Send the refresh once. Raises TimedOut at the deadline, and goes on reading in the background.

    A late response may hold the next refresh token of a rotating credential, the only one that works.
    """
    if attempt.snapshot.rotates is False:
        return salesforce.refresh(grant.auth_url)
    # Another node may take over so long after this attempt has begun; then it is read no more.
    read_on = settings.TAKEOVER_SECONDS - (time.monotonic() - attempt.began)
    exchange = late_responses.Exchange(salesforce, grant.auth_url, read_on_seconds=read_on)
    try:
        return exchange.result()
    except late_responses.StillReading:
        spool = attempt.spool.hand_over()
        exchange.when_done(lambda answer: _keep_late(spool, grant, answer))
        raise wire.TimedOut from None


def _keep_late(spool: SpoolFile, grant: Grant, answer: TokenAnswer | None) -> None:
    """Spool a response that came after the deadline, and write it to its credential.

    The file stays locked until the database has it: no other attempt begins in between.
    """
    with spool:
        outcome = _read(grant, answer) if answer else None
        if outcome and (outcome.session or outcome.rotated):
            _write_to_disk(spool, outcome)
            replay.commit(spool.place, outcome)
            spool.remove()
            logger.info("A late response of Salesforce was kept.")


def _may_log_in_again(attempt: Attempt) -> bool:
    """Charge the second try to the login budget; a database that is away allows none."""
    try:
        return refresh_lock.charge(attempt.snapshot.pk)
    except Error:
        return False
    finally:
        release_database()


def _read(grant: Grant, answer: TokenAnswer) -> Outcome:
    """Turn a complete answer into an outcome. The refresh token in it is kept whatever else is wrong."""
    url, rotated = grant.auth_url, answer.refresh_token is not None
    if answer.refresh_token is not None:
        url = replace(url, refresh_token=answer.refresh_token)
    kept = url if rotated else None
    if answer.session is None:
        ending = failure_of(answer.fault or wire.Unreadable())
        return Outcome(auth_url=kept, rotated=rotated, code=ending.code)
    if grant.binding.org_id not in (None, answer.session.org_id):
        return Outcome(auth_url=kept, rotated=rotated, code="ORG_ID_MISMATCH")
    return Outcome(auth_url=url, rotated=rotated, session=answer.session)


def _failure(attempt: Attempt, error: SalesforceError) -> Outcome:
    ending = failure_of(error)
    if ending.code == "CREDENTIAL_EXPIRED" and attempt.unanswered:
        ending = BY_CODE["LOST_ANSWER"]
    return Outcome(code=ending.code, retry_after=error.retry_after, lost=_is_lost(attempt, error))


def _is_lost(attempt: Attempt, error: SalesforceError) -> bool:
    """Tell whether Salesforce may have answered with a token that nobody has."""
    in_vain = isinstance(error, wire.Garbled) and attempt.snapshot.rotates is not False
    return in_vain or isinstance(error, wire.LostAnswer)
