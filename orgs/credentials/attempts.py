"""One refresh attempt, from the refresh lock to the outcome. docs/architecture.md draws it.

Two short transactions: (a) `acquire`, before Salesforce is called, and (b) `commit`, after it has responded.
Between them `send` holds nothing of the database: no transaction, no connection, no row lock.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import Error, transaction

from authn import audit
from authn.database.connections import release_database
from orgs.credentials import late_responses, outcome_storage, outcomes, refresh_lock, replay
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import Binding, Grant, decrypt_grant
from orgs.credentials.errors import CredentialTampered, SalesforceUnavailable, SessionError, SpoolUnavailable
from orgs.credentials.failures import failure_of, recorded_failure
from orgs.credentials.models import Credential, Health
from orgs.credentials.outcomes import Failed, GrantCreated, Outcome
from orgs.credentials.ownership import share_owner
from orgs.credentials.session_request import GrantCreator, SessionRequest, result_event
from orgs.credentials.spool import AttemptId, SpoolFile, SpoolFull, SpoolInUse, files
from orgs.salesforce import SalesforceClient, SalesforceError, TokenResponse
from orgs.salesforce import errors as wire
from orgs.salesforce.network_errors import response_timed_out

logger = logging.getLogger("frontdesk.spool")

# Salesforce responds "token request is already being processed" while another client refreshes the same token.
_PAUSE_BEFORE_RETRY = 0.5


class _ResponsePending(Exception):
    """The spool holds a file of an earlier attempt, so the stored refresh token may be spent."""


@dataclass(slots=True)
class Attempt:
    """A refresh for which this thread holds the refresh lock and a spool file with space for the response.

    `snapshot` is the row as it was read before the lock, `row` as it was when the lock was acquired. `event_id` is
    the id of its audit row. Without a `grant` to refresh, `create_grant` creates one. `unanswered` says that an
    earlier response was lost, and may have held the next refresh token; `on_trial`, that `grant` has another host or
    client secret than the stored one. Times are of time.monotonic().
    """

    snapshot: Credential
    row: Credential
    grant: Grant | None
    spool: SpoolFile
    event_id: int
    unanswered: bool = False
    on_trial: bool = False
    create_grant: GrantCreator | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float:
        """When the refresh lock ends, less the time that the second transaction needs."""
        return self.began + settings.REFRESH_LOCK_SECONDS - refresh_lock.MARGIN_SECONDS

    def is_rejected_trial(self, outcome: Outcome) -> bool:
        """Return True if what the caller submitted failed, which says nothing of what is stored."""
        return self.on_trial and isinstance(outcome, Failed) and outcome.new_auth_url is None


# --- (a) Before the call ---------------------------------------------------------------------------


def acquire(snapshot: Credential, request: SessionRequest) -> Attempt | None:
    """Acquire the refresh lock, decrypt the grant, audit the attempt and reserve disk space for the response.

    Returns None if another process holds the lock or has made an attempt since `snapshot` was read, or if no
    attempt is allowed now. Raises CredentialTampered, and SpoolUnavailable if no disk space can be reserved;
    then nothing is sent.
    """
    spool: SpoolFile | None = None
    began = time.monotonic()
    try:
        with transaction.atomic():
            # Before the row is locked: a caller who waits for the audit must not keep others waiting for the row.
            sent = audit.record(
                audit.Action.REFRESH_SENT, audit.Outcome.ATTEMPTED, by=request.by, target=request.target
            )
            row = refresh_lock.acquire_for_refresh(snapshot.pk, snapshot.generation)
            if row is None:
                transaction.set_rollback(True)
                return None
            if snapshot.sent_at and snapshot.rotates is not False and files(snapshot.pk):
                raise _ResponsePending
            snapshot.locked_until = row.locked_until  # Identifies this lock, in case it is released unused.
            row, grant = _with_grant(row, snapshot, request)
            spool = SpoolFile.reserve(AttemptId(snapshot.pk, snapshot.generation))
    except _ResponsePending:
        return None  # It may hold the newest refresh token, or a process of this node still waits for it.
    except SpoolInUse:
        return None  # An attempt whose lock ran out is still under way.
    except (SpoolFull, OSError) as error:
        raise SpoolUnavailable from error
    except Error:
        if spool is not None:
            spool.close()
        raise
    if grant is None:
        return Attempt(snapshot, row, None, spool, sent.pk, create_grant=request.create_grant, began=began)
    unanswered = (row.health == Health.UNCERTAIN and row.rotates is not False) or row.outcome == "LOST_ANSWER"
    tried = _submitted(grant, request)
    return Attempt(snapshot, row, tried, spool, sent.pk, unanswered, on_trial=tried != grant, began=began)


def _with_grant(row: Credential, snapshot: Credential, request: SessionRequest) -> tuple[Credential, Grant | None]:
    """Return the locked row with its owner, and the grant to refresh, None if one is to be created.

    Raises CredentialTampered.
    """
    if _needs_grant(row, request):
        return row, None
    if share_owner(snapshot, row):
        # The owner was read before the lock. If the grant does not fit it, the row may have another owner since.
        with suppress(CredentialTampered):
            return row, decrypt_grant(row)
    row = Credential.objects.with_secrets().get(pk=row.pk)
    return row, decrypt_grant(row)


def _needs_grant(row: Credential, request: SessionRequest) -> bool:
    """Return True if a grant is to be created: none was yet, or Salesforce refuses the stored one permanently."""
    return request.create_grant is not None and (row.sealed_grant is None or recorded_failure(row) is not None)


def _submitted(grant: Grant, request: SessionRequest) -> Grant:
    """Return the grant with the host and client secret that the caller submitted, where one was submitted."""
    submitted = request.submitted_auth_url
    if submitted is None:
        return grant
    auth_url = replace(grant.auth_url, host=submitted.host, client_secret=submitted.client_secret)
    return replace(grant, auth_url=auth_url)


# --- The call --------------------------------------------------------------------------------------


def send(attempt: Attempt) -> Outcome:
    """Call Salesforce. A new refresh token is on disk before this returns.

    Raises ParentUnavailable, CredentialTampered.
    """
    if attempt.create_grant:
        outcome = _create_grant(attempt.create_grant, attempt.deadline)
    elif attempt.grant is None:
        raise CredentialTampered
    else:
        outcome = _refresh_once(attempt, attempt.grant)
    if outcome.new_auth_url:
        _write_to_disk(attempt.spool, outcome)
    return outcome


def _refresh_once(attempt: Attempt, grant: Grant) -> Outcome:
    try:
        with salesforce_slot(attempt.snapshot.pk) as salesforce:
            response = _refresh(salesforce, attempt, grant)
    except SalesforceUnavailable as error:
        return Failed(error.code)
    except SalesforceError as error:
        return outcomes.from_error(
            error, may_rotate=attempt.snapshot.rotates is not False, unanswered=attempt.unanswered
        )
    return outcomes.from_response(grant, response)


def _write_to_disk(spool: SpoolFile, outcome: Outcome) -> None:
    try:
        spool.write(outcomes.to_text(outcome))
    except OSError:
        # The disk failed although space was reserved. The commit may still store the token.
        logger.exception("A new refresh token could not be written to the spool.")


def _create_grant(create_grant: GrantCreator, deadline: float) -> Outcome:
    """Create a grant. A failure leaves the credential without one: the next caller tries again."""
    try:
        created = create_grant(deadline)
    except SessionError as error:
        return Failed(error.code, error.retry_after, without_grant=True, detail=error.detail)
    except SalesforceError as error:
        return Failed(failure_of(error).code, error.retry_after, without_grant=True, detail=error.detail)
    return GrantCreated(created.session, created.auth_url, Binding(created.session.org_id, created.username))


def _refresh(salesforce: SalesforceClient, attempt: Attempt, grant: Grant) -> TokenResponse:
    """Send the refresh; a second time only if that is harmless and the lock leaves enough time for it."""
    began = time.monotonic()
    try:
        return _send_refresh(salesforce, attempt, grant)
    except wire.AlreadyProcessing:
        time_needed = time.monotonic() - began + _PAUSE_BEFORE_RETRY + settings.SALESFORCE_TIMEOUT_SECONDS
        if attempt.snapshot.rotates is not False or time_needed > settings.REFRESH_LOCK_SECONDS:
            raise  # The other client may have rotated the token: a second use would end the family.
        if not _may_log_in_again(attempt):
            raise
    time.sleep(_PAUSE_BEFORE_RETRY)
    return salesforce.refresh(grant.auth_url)


def _send_refresh(salesforce: SalesforceClient, attempt: Attempt, grant: Grant) -> TokenResponse:
    """Send the refresh once. Raises TimedOut at the deadline, and goes on reading in the background.

    A late response may hold the next refresh token of a rotating credential, the only one that works.
    """
    if attempt.snapshot.rotates is False:
        return salesforce.refresh(grant.auth_url)
    # Reading stops when another node may repeat the attempt: TAKEOVER_SECONDS after it began.
    read_on = settings.TAKEOVER_SECONDS - (time.monotonic() - attempt.began)
    exchange = late_responses.Exchange(salesforce, grant.auth_url, read_on_seconds=read_on)
    try:
        return exchange.result()
    except late_responses.StillReading:
        spool = attempt.spool.detach()
        exchange.when_done(lambda response: _keep_late(spool, grant, response))
        raise response_timed_out(grant.auth_url.host) from None


def _keep_late(spool: SpoolFile, grant: Grant, response: TokenResponse | None) -> None:
    """Spool a response that arrived after the deadline, and commit it to its credential.

    The file stays locked until the commit, so that no other attempt begins in between.
    """
    with spool:
        outcome = outcomes.from_response(grant, response) if response else None
        if outcome and (outcome.session or outcome.new_auth_url):
            _write_to_disk(spool, outcome)
            replay.commit(spool.attempt_id, outcome)
            spool.remove()
            logger.info("A late response of Salesforce was committed.")


def _may_log_in_again(attempt: Attempt) -> bool:
    """Charge the second request to the login budget. Returns False if none is left or the database is unavailable."""
    try:
        return refresh_lock.charge(attempt.snapshot.pk)
    except Error:
        return False
    finally:
        release_database()


# --- (b) After the call ----------------------------------------------------------------------------


def commit(attempt: Attempt, outcome: Outcome, request: SessionRequest) -> bool:
    """Write the outcome and its audit rows. Returns False if the credential no longer waits for it."""
    with transaction.atomic():
        stored = outcome_storage.store(attempt.row, outcome, was_issued=request.audit_action is not None)
        if stored:
            _audit(attempt, request, outcome.code, token=outcome.session.access_token if outcome.session else "")
    if stored:
        attempt.spool.remove()
    return stored


def abandon(attempt: Attempt, code: str, request: SessionRequest) -> None:
    """End an attempt whose failure says nothing about the stored credential. The row is restored as it was before.

    What failed was a host or client secret that the caller submitted, or the org that grants are created through.
    """
    with transaction.atomic():
        refresh_lock.release_unused(attempt.snapshot)
        _audit(attempt, request, code)


def _audit(attempt: Attempt, request: SessionRequest, code: str, *, token: str = "") -> None:
    """Complete the audit row of the attempt by one row: what the client gets, else how the refresh ended."""
    event = result_event(request, code, token=token, attempt_id=attempt.event_id)
    if event is None:
        ended = audit.Outcome.FAILED if code else audit.Outcome.GRANTED
        by, target = request.by, request.target
        event = audit.event(
            audit.Action.REFRESH_ENDED, ended, by=by, target=target, code=code, attempt_id=attempt.event_id
        )
    audit.record_all([event])
