"""The refresh lock: at most one refresh of a credential at a time, across threads, processes and machines.

The lock is acquired by compare-and-set on the credential's row, by the database's clock, in the same
UPDATE that charges the login budget and checks the circuit breaker. No transaction or connection is held
meanwhile, so the lock of a process that dies runs out by itself. `sent_at` stays until a response is
stored: a row with `sent_at` but without a lock belongs to an attempt whose response was lost.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now

from authn.database.returning import update_returning
from orgs.credentials.errors import SpoolUnavailable
from orgs.credentials.models import Credential, Health
from orgs.credentials.spool import AttemptId, is_awaited, node_id

# Seconds of a lock that are reserved for the two transactions around a call to Salesforce.
MARGIN_SECONDS = 0.5
# A fifth of the budget may be spent at once, the rest returns evenly over an hour: no sixty minutes
# see more log-ins than the whole budget.
_BURST_SHARE = 0.2
# Retry-After while this node is still reading a late response.
_LATE_RETRY_SECONDS = 5.0
# How far `locked_until - sent_at` of one attempt may differ from REFRESH_LOCK_SECONDS; databases round.
_ROUNDING = timedelta(milliseconds=10)
_UNANSWERED = Q(sent_at__isnull=False) & (Q(rotates=None) | Q(rotates=True))


@dataclass(frozen=True, slots=True)
class LockStatus:
    """The state of a credential's refresh lock.

    `lock_remaining` is in seconds, 0 while the lock is free. `blocked_by` is the code (failure_catalogue.py) of what
    prevents a refresh although the lock is free, or empty; `block_remaining` is how long it does, in seconds.
    """

    generation: int
    lock_remaining: float
    blocked_by: str = ""
    block_remaining: float = 0.0


def status(credential_id: uuid.UUID) -> LockStatus | None:
    """Return the state of a credential's refresh lock, None if the credential was deleted."""
    row = Credential.objects.filter(pk=credential_id).annotate(database_now=Now()).first()
    if row is None:
        return None
    now: datetime = row.database_now
    held = _remaining(row.locked_until, now)
    blocks = {
        "UPSTREAM_PAUSED": _remaining(row.paused_until, now),
        "REFRESH_IN_PROGRESS": 0.0 if held else _takeover_remaining(row, now),
        "LOGIN_BUDGET": _remaining(row.budget_spent_until, now + _budget_burst()),
    }
    code = max(blocks, key=lambda name: blocks[name])
    return LockStatus(row.generation, held, code if blocks[code] else "", blocks[code])


def unlocked() -> Q:
    """Return the condition for credentials whose refresh lock is free."""
    return Q(locked_until=None) | Q(locked_until__lte=Now())


def acquire_for_refresh(credential_id: uuid.UUID, generation: int) -> Credential | None:
    """Acquire the lock, charge the login budget and store that a refresh is being sent, in one UPDATE.

    Returns the row as it is stored then, with its encrypted columns. Returns None, and changes nothing, if the
    lock is held, an attempt has ended since `generation` was read, or `status` would name a block. Raises
    SpoolUnavailable.
    """
    not_paused = Q(paused_until=None) | Q(paused_until__lte=Now())
    this_node = _this_node()
    not_elsewhere = ~_UNANSWERED | Q(sent_by=this_node) | Q(sent_at__lte=_from_now(-_takeover()))
    rows = Credential.objects.filter(
        _row_is_free(credential_id),
        unlocked(),
        not_paused,
        _within_budget(),
        not_elsewhere,
        pk=credential_id,
        generation=generation,
    )
    acquired = update_returning(
        rows,
        locked_until=_from_now(timedelta(seconds=settings.REFRESH_LOCK_SECONDS)),
        sent_at=Now(),
        sent_by=this_node,
        unanswered_since=Coalesce("unanswered_since", "generation"),
        budget_spent_until=_budget_after_login(),
        health=Case(When(_UNANSWERED, then=Value(Health.UNCERTAIN)), default=F("health")),
    )
    return acquired[0] if acquired else None


def _row_is_free(credential_id: uuid.UUID) -> Q:
    """Return the condition that no other transaction has locked the row: hundreds of callers must not queue for it."""
    if not connection.features.has_select_for_update_skip_locked:
        return Q()
    free = Credential.objects.select_for_update(skip_locked=True).filter(pk=credential_id)
    return Q(pk__in=free.values("pk"))


def release_dead_attempt(attempt_id: AttemptId) -> None:
    """Release the lock of an attempt of this node whose process died before Salesforce responded.

    Call it while the spool file of the attempt is locked, which proves that no process works on it.
    A lock that was acquired for another operation than a refresh is kept.
    """
    rows = Credential.objects.filter(
        pk=attempt_id.credential_id, generation=attempt_id.generation, sent_by=_this_node()
    )
    row = rows.filter(locked_until__gt=Now(), sent_at__isnull=False).first()
    if row is None or row.sent_at is None or row.locked_until is None:
        return
    lock_time = timedelta(seconds=settings.REFRESH_LOCK_SECONDS)
    if abs(row.locked_until - row.sent_at - lock_time) <= _ROUNDING:
        rows.filter(locked_until=row.locked_until).update(locked_until=None)


def extend_claim(attempt_id: AttemptId) -> None:
    """Restart TAKEOVER_SECONDS of an attempt: this node has its response on disk but cannot read it yet."""
    rows = Credential.objects.filter(pk=attempt_id.credential_id, sent_by=_this_node())
    rows.filter(unanswered_since__lte=attempt_id.generation).update(sent_at=Now())


def charge(credential_id: uuid.UUID) -> bool:
    """Charge the login budget for a second request under a held lock. Returns False if the budget is spent."""
    rows = Credential.objects.filter(_within_budget(), pk=credential_id)
    return bool(rows.update(budget_spent_until=_budget_after_login()))


class HeldLocks:
    """The refresh locks that one operation other than a refresh holds, such as revoking or deleting."""

    def __init__(self) -> None:
        self._held: dict[uuid.UUID, Credential] = {}

    def acquire(self, credential: Credential) -> bool:
        """Acquire the lock of a credential; nothing is charged or sent.

        Returns False while another process holds it, or has refreshed since `credential` was read.
        """
        if not _lock(credential, unlocked()):
            return False
        self._held[credential.pk] = credential
        return True

    def renew(self, credential: Credential) -> bool:
        """Restart the time of a held lock. Returns False if it ran out and another process acquired it since."""
        return _lock(credential, Q(locked_until=credential.locked_until))

    def release(self) -> None:
        """Release every lock that is still held. While the database is unavailable they run out by themselves."""
        for credential in self._held.values():
            with suppress(DatabaseError, InterfaceError):
                release_unused(credential)


@contextmanager
def hold_locks() -> Iterator[HeldLocks]:
    """Yield an empty set of locks. Every lock that is acquired in it is released at the end, also after an error."""
    held = HeldLocks()
    try:
        yield held
    finally:
        held.release()


def release_unused(credential: Credential) -> None:
    """Release a lock without an outcome: waiting callers make an attempt of their own.

    `credential.locked_until` says which lock is meant. One that ran out stays with the process that acquired it since.
    """
    rows = Credential.objects.filter(
        pk=credential.pk, generation=credential.generation, locked_until=credential.locked_until
    )
    before = {name: getattr(credential, name) for name in ("sent_at", "sent_by", "unanswered_since")}
    rows.update(locked_until=None, **before)


def _lock(credential: Credential, condition: Q) -> bool:
    """Lock a row for REFRESH_LOCK_SECONDS, and set `credential.locked_until` to the moment when that ends."""
    rows = Credential.objects.filter(pk=credential.pk)
    with transaction.atomic():
        matching = rows.filter(condition, generation=credential.generation)
        if not matching.update(locked_until=_from_now(timedelta(seconds=settings.REFRESH_LOCK_SECONDS))):
            return False
        credential.locked_until = rows.values_list("locked_until", flat=True).get()
    return True


def _takeover_remaining(row: Credential, now: datetime) -> float:
    if row.sent_at is None or row.rotates is False:
        return 0.0
    remaining = _remaining(row.sent_at + _takeover(), now)
    if row.sent_by != _this_node():
        return remaining
    return min(remaining, _LATE_RETRY_SECONDS) if remaining and is_awaited(row.pk) else 0.0


def _this_node() -> uuid.UUID:
    """Return this node's id. Raises SpoolUnavailable."""
    try:
        return node_id()
    except OSError as error:
        raise SpoolUnavailable from error


def _takeover() -> timedelta:
    """Return how long other nodes must not repeat an attempt whose node may still have the response."""
    return timedelta(seconds=settings.TAKEOVER_SECONDS)


def _within_budget() -> Q:
    return Q(budget_spent_until=None) | Q(budget_spent_until__lte=_from_now(_budget_burst()))


def _budget_after_login() -> Combinable:
    """Return the value of `budget_spent_until` after one more log-in."""
    return Case(
        When(budget_spent_until__gt=Now(), then=_after(F("budget_spent_until"), _budget_per_login())),
        default=_from_now(_budget_per_login()),
        output_field=DateTimeField(),
    )


def _budget_per_login() -> timedelta:
    """Return the time in which the budget of one log-in returns."""
    return timedelta(hours=1) / (settings.LOGIN_BUDGET_PER_HOUR * (1 - _BURST_SHARE))


def _budget_burst() -> timedelta:
    """Return how far `budget_spent_until` may be ahead of the clock before the next log-in must wait."""
    return _budget_per_login() * max(0.0, settings.LOGIN_BUDGET_PER_HOUR * _BURST_SHARE - 1)


def _from_now(distance: timedelta) -> Combinable:
    return _after(Now(), distance)


def _after(moment: Now | F, distance: timedelta) -> Combinable:
    return ExpressionWrapper(moment + distance, output_field=DateTimeField())


def _remaining(until: datetime | None, now: datetime) -> float:
    return max(0.0, (until - now).total_seconds()) if until else 0.0
