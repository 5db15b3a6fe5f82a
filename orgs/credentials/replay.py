"""Commits spooled token responses left by a crash or a database outage.

Every process replays at its start and every five seconds, and before it refreshes a credential whose last
response is missing. Each file is handled separately: one that cannot be read or committed is logged by
name and does not delay the others.
"""

import logging
import uuid
from pathlib import Path

from django.db import transaction

from authn import audit
from authn.database.failures import is_database_failure
from authn.errors import AuditUnavailable
from authn.loops import Loop
from authn.principals import system
from orgs.credentials import outcome_storage, outcomes, refresh_lock, spool
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.errors import SessionError
from orgs.credentials.failures import failure_of
from orgs.credentials.hash_key import require_unsealed
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Outcome
from orgs.credentials.spool import AttemptId, SpoolDamaged, SpoolFile
from orgs.salesforce import AuthUrl, SalesforceError

_EVERY_SECONDS = 5.0

logger = logging.getLogger("frontdesk.spool")

# The error that was logged for each file: one that stays unreadable is not logged every five seconds.
_reported: dict[str, str] = {}


class ReplayIncomplete(Exception):
    """Some files could not be replayed. They stay in the spool, and the log names them."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Spool files that could not be replayed: {', '.join(names)}.")


def replay() -> int:
    """Commit every abandoned response. Returns how many were committed.

    Raises ReplayIncomplete if some could not be committed, DeskSealed, DatabaseError and AuditUnavailable.
    The files stay for the next replay.
    """
    require_unsealed()
    paths = spool.files()
    for name in _reported.keys() - {path.name for path in paths}:
        del _reported[name]
    results = []
    for path in paths:
        results.append(_replay_path(path))
        loop.progress()
    if failed := [path.name for path, result in zip(paths, results, strict=True) if result is None]:
        raise ReplayIncomplete(failed)
    return sum(map(bool, results))


def replay_credential(credential_id: uuid.UUID) -> None:
    """Commit the abandoned responses of one credential. A file that cannot be read is logged and stays.

    Raises DeskSealed, DatabaseError, AuditUnavailable, OSError.
    """
    require_unsealed()
    for path in spool.files(credential_id):
        _replay_path(path)


def _replay_in_background() -> None:
    try:
        replay()
    except ReplayIncomplete:
        return  # Each file was logged. The file of one credential must not make the loop count as stuck.


loop = Loop("spool-replay", _EVERY_SECONDS, _replay_in_background)


def _replay_path(path: Path) -> bool | None:
    """Replay one file. Returns True if it was committed, None if it could not be.

    Raises DatabaseError or AuditUnavailable, which concern every file.
    """
    try:
        file = spool.lock_abandoned(path)
        if file is None:
            return False
        with file:
            written = _replay(file)
    except Exception as error:
        if _affects_all_files(error):
            raise
        _report(path, error)
        return None
    return written


def _affects_all_files(error: Exception) -> bool:
    """Return True if the database or the audit is unavailable, False for an error of one file or one value."""
    return isinstance(error, AuditUnavailable) or is_database_failure(error)


def _report(path: Path, error: Exception) -> None:
    reason = type(error).__name__
    if _reported.get(path.name) != reason:
        _reported[path.name] = reason
        logger.error("The spool file %s could not be replayed (%s). It stays.", path.name, reason)
    if attempt_id := spool.attempt_of(path):
        refresh_lock.extend_claim(attempt_id)


def _replay(file: SpoolFile) -> bool:
    attempt_id = file.attempt_id
    try:
        text = file.read()
        outcome = outcomes.from_text(text) if text else None
    except (SpoolDamaged, ValueError, KeyError, TypeError):
        if outcome_storage.is_pending(attempt_id.credential_id, attempt_id.generation):
            raise  # It may hold the newest token: the credential is not refreshed until the file can be read.
        logger.error("The spool file %s is damaged, and no credential needs it. It was renamed.", attempt_id.path.name)
        file.quarantine()
        return False
    if outcome is None:  # The response never arrived, or held no new token.
        refresh_lock.release_dead_attempt(attempt_id)
        file.remove()
        return False
    written = commit(attempt_id, outcome)
    file.remove()
    return written


def commit(attempt_id: AttemptId, outcome: Outcome) -> bool:
    """Write an outcome to its credential. Returns False if the credential no longer waits for it.

    The new refresh token of a deleted credential is revoked. Raises DatabaseError, AuditUnavailable.
    """
    with transaction.atomic():
        row = outcome_storage.row_to_replay(attempt_id.credential_id, attempt_id.generation)
        if row is not None:
            outcome_storage.write(row, outcome)
            _audit(audit.Outcome.GRANTED, row.owner.audit_target if row.owner else None)
    if row is None and not Credential.objects.filter(pk=attempt_id.credential_id).exists():
        revoke_orphan(attempt_id.credential_id, outcome.new_auth_url)
    return row is not None


def revoke_orphan(credential_id: uuid.UUID, auth_url: AuthUrl | None) -> None:
    """Revoke a new refresh token whose credential was deleted during the refresh. Does nothing without one.

    The access token is not revoked: Salesforce may have issued the same string to another client.
    """
    if auth_url is None:
        return
    try:
        with salesforce_slot(credential_id) as salesforce:
            salesforce.revoke(auth_url.host, auth_url.refresh_token)
    except SessionError as error:
        _audit(audit.Outcome.FAILED, code=error.code, action=audit.Action.REVOKED)
    except SalesforceError as error:
        _audit(audit.Outcome.FAILED, code=failure_of(error).code, action=audit.Action.REVOKED)
    else:
        _audit(audit.Outcome.GRANTED, action=audit.Action.REVOKED)


def _audit(
    ended: audit.Outcome,
    target: audit.Target | None = None,
    *,
    code: str = "",
    action: audit.Action = audit.Action.ANSWER_REPLAYED,
) -> None:
    audit.record(action, ended, by=system("spool"), target=target, code=code)
