"""One writer per credential, across threads, processes and machines; and when there may be none.

A lease is taken by compare-and-set on the credential's row, by the database's clock, in the same
UPDATE that charges the login budget and looks at the breaker. No transaction or connection is held
while it lasts, so it ends by itself when its holder dies. `sent_at` stays until an answer is
written down: a row with `sent_at` and no lease tells of an attempt whose answer was lost.
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

from orgs.credentials.errors import SpoolUnavailable
from orgs.credentials.models import Credential, Health
from orgs.credentials.spool import AttemptId, is_awaited, node_id

# What must be left of a lock for the two transactions around a call to Salesforce.
MARGIN_SECONDS = 0.5
# A fifth of the budget may be spent at once, the rest comes back evenly over an hour: so no sixty
# minutes ever see more than the whole (design 9.9).
_BURST_SHARE = 0.2
# How soon a caller may ask again while this node still reads a late response.
_LATE_RETRY_SECONDS = 5.0
# How far `sent_at` and `locked_until` of one attempt may differ from REFRESH_LOCK_SECONDS; databases round.
_SAME_ATTEMPT = timedelta(milliseconds=10)
_UNANSWERED = Q(sent_at__isnull=False) & (Q(rotates=None) | Q(rotates=True))


@dataclass(frozen=True, slots=True)
class LockStatus:
    """A look at a credential's row. Rests are in seconds, 0 when nothing is in the way.

    `hindrance` names what stops a refresh though the lease is free: a code of orgs/credentials/failures.py, "".
    """

    generation: int
    lock_remaining: float
    blocked_by: str = ""
    block_remaining: float = 0.0


def status(credential_id: uuid.UUID) -> LockStatus | None:
    """Look at a row, without its secrets. Returns None when the credential is gone."""
    row = Credential.objects.filter(pk=credential_id).annotate(database_now=Now()).first()
    if row is None:
        return None
    now: datetime = row.database_now
    held = _remaining(row.locked_until, now)
    rests = {
        "UPSTREAM_PAUSED": _remaining(row.paused_until, now),
        "REFRESH_IN_PROGRESS": 0.0 if held else _takeover_remaining(row, now),
        "LOGIN_BUDGET": _remaining(row.budget_spent_until, now + _budget_burst()),
    }
    code = max(rests, key=lambda name: rests[name])
    return LockStatus(row.generation, held, code if rests[code] else "", rests[code])


def acquire_for_refresh(credential_id: uuid.UUID, generation: int) -> bool:
    """Take the lease, charge the budget and note that a refresh is sent; one UPDATE.

    Does nothing and returns False when the lease is held, somebody made an attempt since
    `generation` was read, or anything else that `look` tells of is in the way.
    """
    free = Q(locked_until=None) | Q(locked_until__lte=Now())
    calm = Q(paused_until=None) | Q(paused_until__lte=Now())
    if _is_locked(credential_id):
        return False
    this_node = _this_node()
    mine = ~_UNANSWERED | Q(sent_by=this_node) | Q(sent_at__lte=_from_now(-_takeover()))
    rows = Credential.objects.filter(free, calm, _within_budget(), mine, pk=credential_id, generation=generation)
    health = Case(When(_UNANSWERED, then=Value(Health.UNCERTAIN)), default=F("health"))
    return bool(
        rows.update(
            locked_until=_from_now(timedelta(seconds=settings.REFRESH_LOCK_SECONDS)),
            sent_at=Now(),
            sent_by=this_node,
            unanswered_since=Coalesce("unanswered_since", "generation"),
            budget_spent_until=_budget_after_login(),
            health=health,
        )
    )


def _is_locked(credential_id: uuid.UUID) -> bool:
    """Return True if another transaction has the row locked. Hundreds of callers must not queue for that lock."""
    if not connection.features.has_select_for_update_skip_locked:
        return False
    rows = Credential.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=credential_id)
    return not rows.values_list("pk", flat=True).first()


def release_dead_attempt(place: AttemptId) -> None:
    """Release the lock of an attempt of this node whose process died before Salesforce answered.

    Call it while the spool file of the attempt is locked: that proves that no process works on it.
    A lock that was taken for something else than a refresh is left alone.
    """
    rows = Credential.objects.filter(pk=place.credential_id, generation=place.generation, sent_by=_this_node())
    row = rows.filter(locked_until__gt=Now(), sent_at__isnull=False).first()
    if row is None or row.sent_at is None or row.locked_until is None:
        return
    lock_time = timedelta(seconds=settings.REFRESH_LOCK_SECONDS)
    if abs(row.locked_until - row.sent_at - lock_time) <= _SAME_ATTEMPT:
        rows.filter(locked_until=row.locked_until).update(locked_until=None)


def extend_claim(place: AttemptId) -> None:
    """Keep other nodes from taking over while this one holds a response that it cannot read yet."""
    rows = Credential.objects.filter(pk=place.credential_id, sent_by=_this_node())
    rows.filter(unanswered_since__lte=place.generation).update(sent_at=Now())


def charge(credential_id: uuid.UUID) -> bool:
    """Charge the budget for one more log-in under a lease that is held. Returns False when none is left."""
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
        if not _lock(credential, Q(locked_until=None) | Q(locked_until__lte=Now())):
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
    rest = _remaining(row.sent_at + _takeover(), now)
    if row.sent_by != _this_node():
        return rest
    return min(rest, _LATE_RETRY_SECONDS) if rest and is_awaited(row.pk) else 0.0


def _this_node() -> uuid.UUID:
    """Return this node's id. Raises SpoolUnavailable."""
    try:
        return node_id()
    except OSError as error:
        raise SpoolUnavailable from error


def _takeover() -> timedelta:
    """How long an unanswered attempt of another node is left to that node, which may have the answer."""
    return timedelta(seconds=settings.TAKEOVER_SECONDS)


def _within_budget() -> Q:
    return Q(budget_spent_until=None) | Q(budget_spent_until__lte=_from_now(_budget_burst()))


def _budget_after_login() -> Combinable:
    """What `budget_spent_until` is after one log-in more."""
    return Case(
        When(budget_spent_until__gt=Now(), then=_after(F("budget_spent_until"), _budget_per_login())),
        default=_from_now(_budget_per_login()),
        output_field=DateTimeField(),
    )


def _budget_per_login() -> timedelta:
    """What one log-in costs, as time in which the budget comes back."""
    return timedelta(hours=1) / (settings.LOGIN_BUDGET_PER_HOUR * (1 - _BURST_SHARE))


def _budget_burst() -> timedelta:
    """How far the budget may be spent ahead of the clock before the next log-in must wait."""
    return _budget_per_login() * max(0.0, settings.LOGIN_BUDGET_PER_HOUR * _BURST_SHARE - 1)


def _from_now(distance: timedelta) -> Combinable:
    return _after(Now(), distance)


def _after(moment: Now | F, distance: timedelta) -> Combinable:
    return ExpressionWrapper(moment + distance, output_field=DateTimeField())


def _remaining(until: datetime | None, now: datetime) -> float:
    return max(0.0, (until - now).total_seconds()) if until else 0.0
