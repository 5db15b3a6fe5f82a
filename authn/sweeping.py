"""What is done from time to time without anybody asking: a list that each app adds its own to.

`manage.py sweep` runs it. A sweep may be run at any time, twice at once, and broken off: the next
one goes on where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Model, QuerySet
from django.utils import timezone

from authn.models import AuditEvent, LoginFamily

_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Sweep:
    """One job: its name in the log, and what does it. `run` returns how many rows it dealt with."""

    name: str
    run: Callable[[], int]


_sweeps: list[Sweep] = []


def add_sweep(name: str, run: Callable[[], int]) -> None:
    """Add a job. Call it in AppConfig.ready."""
    _sweeps.append(Sweep(name, run))


def sweeps() -> tuple[Sweep, ...]:
    """Return all jobs, in the order in which the apps added them."""
    return tuple(_sweeps)


def delete_old_audit() -> int:
    """Delete audit rows that are older than AUDIT_RETENTION_DAYS."""
    limit = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    return _delete(AuditEvent.objects.filter(at__lt=limit))


def delete_ended_logins() -> int:
    """Delete log-ins whose refresh token has expired; nothing of them can be used any more."""
    return _delete(LoginFamily.objects.filter(expires_at__lt=timezone.now()))


def delete_ended_sessions() -> int:
    """Delete browser sessions that have expired."""
    return _delete(Session.objects.filter(expire_date__lt=timezone.now()))


def delete_old_tries() -> int:
    """Delete counts of wrong passwords that lock nobody any more."""
    return _delete(AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - 2 * settings.AXES_COOLOFF_TIME))


def _delete(rows: QuerySet[Model]) -> int:
    """Delete rows a batch at a time, so that no transaction is long."""
    total = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        total += len(keys)
    return total
