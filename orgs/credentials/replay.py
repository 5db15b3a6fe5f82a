"""Commits the responses that a process left in the spool when it died, or lost the database.

Every process of a desk looks at its start and every five seconds, and before it asks Salesforce
for a credential whose last answer is missing. Files are handled one by one: one that cannot be
read or written to its credential is reported by name and never keeps the others waiting.
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
from orgs.credentials import outcomes, refresh_lock, spool
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

# What was logged of each file, so that one that stays unreadable is not logged every five seconds.
_reported: dict[str, str] = {}


class ReplayIncomplete(Exception):
    """Some files could not be replayed. They stay, and the log names them."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Spool files that could not be replayed: {', '.join(names)}.")


def replay() -> int:
    """Write every abandoned response to its credential. Returns how many were written.

    Raises ReplayIncomplete when some could not be; DeskSealed, and DatabaseError when the database
    is away. The files stay for the next time.
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
    """Write the abandoned responses of one credential. What cannot be read is logged and stays.

    Raises DeskSealed, DatabaseError, OSError.
    """
    require_unsealed()
    for path in spool.files(credential_id):
        _replay_path(path)


def _round() -> None:
    try:
        replay()
    except ReplayIncomplete:
        return  # Logged, file by file. One credential's file does not make the loop late.


loop = Loop("spool-replay", _EVERY_SECONDS, _round)


def _replay_path(path: Path) -> bool | None:
    """Replay one file. Returns True if it was written, None if it could not be.

    Raises DatabaseError where the failure concerns more than this file.
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
    """Return True for a database or audit that takes nothing, False for one file or one value."""
    return isinstance(error, AuditUnavailable) or is_database_failure(error)


def _report(path: Path, error: Exception) -> None:
    reason = type(error).__name__
    if _reported.get(path.name) != reason:
        _reported[path.name] = reason
        logger.error("The spool file %s could not be replayed (%s). It stays.", path.name, reason)
    if place := spool.attempt_of(path):
        refresh_lock.extend_claim(place)


def _replay(file: SpoolFile) -> bool:
    place = file.place
    try:
        text = file.read()
        outcome = outcomes.from_text(text) if text else None
    except (SpoolDamaged, ValueError, KeyError, TypeError):
        if outcomes.is_pending(place.credential_id, place.generation):
            raise  # It may hold the newest token: no refresh before somebody has made it readable.
        logger.error("The spool file %s is damaged, and no credential needs it. It was set aside.", place.path.name)
        file.set_aside()
        return False
    if outcome is None:  # Room for a response that never came, or that held no new token.
        refresh_lock.release_dead_attempt(place)
        file.remove()
        return False
    written = commit(place, outcome)
    file.remove()
    return written


def commit(place: AttemptId, outcome: Outcome) -> bool:
    """Write a response to its credential. Returns False when the credential no longer waits for it.

    The new refresh token of a credential that is gone is revoked. Raises DatabaseError, AuditUnavailable.
    """
    with transaction.atomic():
        row = outcomes.row_to_replay(place.credential_id, place.generation)
        if row is not None:
            outcomes.write(row, outcome)
            _audit(audit.Outcome.GRANTED, row.owner.username if row.owner else "")
    if row is None and not Credential.objects.filter(pk=place.credential_id).exists():
        revoke_orphan(place.credential_id, outcome.new_auth_url)
    return row is not None


def revoke_orphan(credential_id: uuid.UUID, auth_url: AuthUrl | None) -> None:
    """Revoke a new refresh token whose credential was deleted while the refresh was under way.

    The access token is left alone: Salesforce may have issued the same string to another client.
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
    ended: audit.Outcome, org: str = "", *, code: str = "", action: audit.Action = audit.Action.ANSWER_REPLAYED
) -> None:
    audit.record(action, ended, by=system("spool"), org=org, code=code)
