"""The registry of sweeps, to which each app adds its own, and the sweeps of authn.

`manage.py sweep` runs them. A sweep may run at any time and concurrently, and may be interrupted: the next
run continues where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, cast

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from authn import audit
from authn.lockout import expired_counts
from authn.models import AuditEvent, BrowserSession, LoginFamily, SweepRun
from authn.principals import system

Row = TypeVar("Row", bound=Model)

_BATCH = 5000
# Up to this many rows are deleted without comparing them with the total.
_ALWAYS_EXPECTED = 1000


@dataclass(frozen=True, slots=True)
class Sweep:
    """A named job; `run` returns the number of rows that it processed.

    `run_confirmed` processes any number of rows; None if `run` never raises TooManyDue.
    """

    name: str
    run: Callable[[], int]
    run_confirmed: Callable[[], int] | None = None


class TooManyDue(Exception):
    """A sweep would delete so many rows that a wrong clock or setting is more likely than their age."""

    def __init__(self, due: int, total: int) -> None:
        super().__init__(
            f"It would delete {due} of {total} rows, more than a quarter. Check the clock of the database and "
            "AUDIT_RETENTION_DAYS; if they are right, run: manage.py sweep --confirm 'old audit'"
        )


_sweeps: list[Sweep] = []


def add_sweep(name: str, run: Callable[[], int], run_confirmed: Callable[[], int] | None = None) -> None:
    """Register a sweep. Call it in AppConfig.ready."""
    _sweeps.append(Sweep(name, run, run_confirmed))


def sweeps() -> tuple[Sweep, ...]:
    """Return all sweeps in the order of registration."""
    return tuple(_sweeps)


def run_sweep(sweep: Sweep, *, confirmed: bool = False) -> int:
    """Run a sweep and record its times and failure. Returns the number of rows; raises what the sweep raises."""
    SweepRun.objects.update_or_create(name=sweep.name, defaults={"started_at": Now()})
    run = sweep.run_confirmed if confirmed and sweep.run_confirmed else sweep.run
    rows = SweepRun.objects.filter(name=sweep.name)
    try:
        done = run()
    except TooManyDue as error:
        rows.update(failure=str(error)[:400])
        raise
    except Exception as error:
        # The text of an error may quote a value; its class does not.
        rows.update(failure=f"{type(error).__name__}. The log of the sweep process has the details.")
        raise
    rows.update(succeeded_at=Now(), failure="")
    return done


def delete_old_audit() -> int:
    """Delete audit rows older than AUDIT_RETENTION_DAYS by the database's clock, and record the deletion.

    Raises TooManyDue for more than a quarter of a long audit.
    """
    old = _old_audit()
    if (due := old.count()) > _ALWAYS_EXPECTED and due * 4 > (total := AuditEvent.objects.count()):
        raise TooManyDue(due, total)
    return _delete_audit(old)


def delete_old_audit_confirmed() -> int:
    """Delete audit rows like `delete_old_audit`, without its limit."""
    return _delete_audit(_old_audit())


def _old_audit() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(at__lt=Now() - timedelta(days=settings.AUDIT_RETENTION_DAYS))


def _delete_audit(old: QuerySet[AuditEvent]) -> int:
    """Delete rows in batches, each in one transaction with its audit row."""
    total = 0
    while batch := list(old.order_by("pk").values_list("pk", "at")[:_BATCH]):
        until = max(at for _, at in batch).isoformat(timespec="seconds")
        with transaction.atomic():
            # Fewer than selected if a concurrent sweep was faster.
            deleted, _ = AuditEvent.objects.filter(pk__in=[pk for pk, _ in batch]).delete()
            if deleted:
                _record_expiry(deleted, until)
        total += deleted
    return total


def _record_expiry(rows: int, until: str) -> None:
    target = audit.setting("AUDIT_RETENTION_DAYS")
    by = system("sweep")
    audit.record(audit.Action.AUDIT_EXPIRED, audit.Outcome.GRANTED, by=by, target=target, rows=rows, until=until)


def delete_ended_logins() -> int:
    """Delete expired log-ins, leeway included, with their sessions. None of their tokens is valid any more."""
    leeway = cast(timedelta, settings.SIMPLE_JWT["LEEWAY"])
    return _delete(LoginFamily.objects.filter(expires_at__lt=Now() - leeway))


def delete_ended_sessions() -> int:
    """Delete browser sessions that have expired."""
    return _delete(BrowserSession.objects.filter(expires_at__lt=Now()))


def delete_old_tries() -> int:
    """Delete expired counts of log-in attempts."""
    return sum(_delete(rows) for rows in expired_counts())


def _delete(rows: QuerySet[Row]) -> int:
    """Delete rows in batches, to keep transactions short. Counts only what a concurrent sweep has not deleted."""
    total = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        _, deleted = rows.model._default_manager.filter(pk__in=keys).delete()
        total += deleted.get(rows.model._meta.label, 0)
    return total
