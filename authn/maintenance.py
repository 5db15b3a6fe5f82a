"""What is done from time to time without anybody asking: a list that each app adds its own to.

`manage.py sweep` runs it. A sweep may be run at any time, twice at once, and broken off: the next
one goes on where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from authn import audit
from authn.lockout import expired_counts
from authn.models import AuditEvent, BrowserSession, LoginFamily, SweepRun
from authn.principals import system

_BATCH = 5000
# So few rows are deleted without comparing them with the whole.
_NEVER_ASKED = 1000


@dataclass(frozen=True, slots=True)
class Sweep:
    """One job: its name, and the function that does it, which returns how many rows it dealt with.

    `run_confirmed` does it too, however much is due; None where `run` never asks for a confirmation.
    """

    name: str
    run: Callable[[], int]
    run_confirmed: Callable[[], int] | None = None


class TooManyDue(Exception):
    """A sweep would delete so much that a wrong clock or setting is more likely than age."""

    def __init__(self, due: int, total: int) -> None:
        super().__init__(
            f"It would delete {due} of {total} rows, more than a quarter. Check the clock of the database and "
            "AUDIT_RETENTION_DAYS; if they are right, run: manage.py sweep --confirm 'old audit'"
        )


_sweeps: list[Sweep] = []


def add_sweep(name: str, run: Callable[[], int], run_confirmed: Callable[[], int] | None = None) -> None:
    """Add a job. Call it in AppConfig.ready."""
    _sweeps.append(Sweep(name, run, run_confirmed))


def sweeps() -> tuple[Sweep, ...]:
    """Return all jobs, in the order in which the apps added them."""
    return tuple(_sweeps)


def run_sweep(sweep: Sweep, *, confirmed: bool = False) -> int:
    """Run one job and note its times and failure. Returns how many rows it dealt with; raises what it raises."""
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
    """Delete audit rows that are older than AUDIT_RETENTION_DAYS by the database's clock, and record that.

    Raises MoreDueThanExpected when that is more than a quarter of a long audit.
    """
    old = _old_audit()
    if (due := old.count()) > _NEVER_ASKED and due * 4 > (total := AuditEvent.objects.count()):
        raise TooManyDue(due, total)
    return _delete_audit(old)


def delete_old_audit_confirmed() -> int:
    """Delete audit rows as `delete_old_audit` does, however many are due."""
    return _delete_audit(_old_audit())


def _old_audit() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(at__lt=Now() - timedelta(days=settings.AUDIT_RETENTION_DAYS))


def _delete_audit(old: QuerySet[AuditEvent]) -> int:
    """Delete rows a batch at a time, each batch in one transaction with the row that records it."""
    total = 0
    while batch := list(old.order_by("pk").values_list("pk", "at")[:_BATCH]):
        until = max(at for _, at in batch).isoformat(timespec="seconds")
        with transaction.atomic():
            # Fewer than read where another sweep was faster.
            deleted, _ = AuditEvent.objects.filter(pk__in=[pk for pk, _ in batch]).delete()
            if deleted:
                facts = {"rows": deleted, "until": until}
                audit.record(audit.Action.AUDIT_EXPIRED, audit.Outcome.GRANTED, by=system("sweep"), **facts)
        total += deleted
    return total


def delete_ended_logins() -> int:
    """Delete log-ins that are over, leeway included, with their sessions; nothing of them can be used any more."""
    leeway: timedelta = settings.SIMPLE_JWT["LEEWAY"]
    return _delete(LoginFamily.objects.filter(expires_at__lt=Now() - leeway))


def delete_ended_sessions() -> int:
    """Delete browser sessions that have expired."""
    return _delete(BrowserSession.objects.filter(expires_at__lt=Now()))


def delete_old_tries() -> int:
    """Delete counts of tries that bound nothing any more."""
    return sum(_delete(rows) for rows in expired_counts())


def _delete(rows: QuerySet[Any]) -> int:
    """Delete rows a batch at a time, so that no transaction is long."""
    total = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        total += len(keys)
    return total
