"""Sweeps: wrong clocks, the record of a deletion, and failures."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import InternalError, connection
from django.db.models.functions import Now
from django.utils import timezone

from authn import audit, maintenance
from authn.maintenance import Sweep, TooManyDue, delete_ended_logins, delete_old_audit
from authn.models import AuditEvent, LoginFamily, SweepRun
from authn.principals import system
from tests.support.browser_client import Visitor
from tests.support.refusing_table import refusing

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def _events(count: int, *, days_old: int = 0) -> None:
    login, granted = audit.Action.LOGIN, audit.Outcome.GRANTED
    audit.record_all(audit.event(login, granted, by=system("tests"), target=None) for _ in range(count))
    if days_old:
        AuditEvent.objects.filter(at__gt=Now() - timedelta(days=1)).update(at=Now() - timedelta(days=days_old))


def test_a_machine_whose_clock_is_400_days_ahead_deletes_no_audit():
    _events(1100)

    with time_machine.travel(timezone.now() + timedelta(days=400)):
        if connection.vendor == "postgresql":
            assert delete_old_audit() == 0
        AuditEvent.objects.update(at=Now() - timedelta(days=400))
        with pytest.raises(TooManyDue, match="1100 of 1100"):
            delete_old_audit()

    assert AuditEvent.objects.count() == 1100


def test_two_concurrent_sweeps_count_each_row_once(a_person):
    for number in range(3):
        Visitor().sign_in(a_person(f"u{number}@acme.example"))  # Its session is deleted with the log-in.
    LoginFamily.objects.update(expires_at=Now() - timedelta(days=1))
    counts: list[int] = []

    def sweep_first(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE") and not counts:
            counts.append(0)
            counts[0] = delete_ended_logins()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(sweep_first):
        counts.append(delete_ended_logins())

    assert sorted(counts) == [0, 3]
    assert not LoginFamily.objects.exists()


def test_the_time_of_an_event_is_the_databases_whatever_this_machine_says():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no clock but the machine's")
    with time_machine.travel(timezone.now() - timedelta(days=400)):
        _events(1)

    assert AuditEvent.objects.filter(at__gt=Now() - timedelta(minutes=1)).count() == 1


def test_more_than_a_quarter_is_deleted_only_when_an_operator_confirms_it(caplog):
    _events(1100, days_old=400)
    _events(10)

    with pytest.raises(CommandError, match="A sweep failed"):
        call_command("sweep")
    assert AuditEvent.objects.count() == 1110
    assert "manage.py sweep --confirm 'old audit'" in SweepRun.objects.get(name="old audit").failure

    call_command("sweep", "--confirm", "old audit")

    assert AuditEvent.objects.filter(action=audit.Action.LOGIN).count() == 10
    assert SweepRun.objects.get(name="old audit").failure == ""


def test_a_share_explained_by_age_is_deleted_without_confirmation():
    _events(1100, days_old=400)
    _events(3500)

    assert delete_old_audit() == 1100


def test_deleting_audit_is_recorded_with_count_and_date():
    _events(3, days_old=400)

    call_command("sweep")

    event = AuditEvent.objects.get()
    assert event.action == "audit.expired_rows_deleted"
    assert event.details["rows"] == 3
    assert event.details["until"].startswith(f"{timezone.now() - timedelta(days=400):%Y-%m-%d}")


def test_each_batch_of_deleted_audit_has_a_row_of_its_own(monkeypatch):
    monkeypatch.setattr(maintenance, "_BATCH", 2)
    _events(3, days_old=400)

    assert delete_old_audit() == 3

    rows = AuditEvent.objects.filter(action=audit.Action.AUDIT_EXPIRED).order_by("id")
    assert [event.details["rows"] for event in rows] == [2, 1]


def test_rows_deleted_by_a_concurrent_sweep_are_recorded_once():
    _events(3, days_old=400)

    def delete_first(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE"):
            execute("DELETE FROM authn_auditevent", None, False, context)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete_first):
        assert delete_old_audit() == 0

    assert not AuditEvent.objects.exists()


def test_audit_rows_are_kept_if_the_deletion_cannot_be_recorded():
    _events(3, days_old=400)

    with refusing(AuditEvent, "INSERT"), pytest.raises(CommandError, match="A sweep failed"):
        call_command("sweep")

    assert AuditEvent.objects.count() == 3


def test_an_unexpected_failure_of_a_sweep_does_not_stop_the_others(monkeypatch):
    def broken() -> int:
        raise InternalError("cannot execute DELETE in a read-only transaction")

    monkeypatch.setattr(maintenance, "_sweeps", [Sweep("broken", broken), Sweep("good", lambda: 1)])

    with pytest.raises(CommandError, match="A sweep failed"):
        call_command("sweep")

    broken_run, good_run = SweepRun.objects.order_by("name")
    assert broken_run.started_at is not None
    assert broken_run.succeeded_at is None
    assert broken_run.failure.startswith("InternalError.")
    assert good_run.succeeded_at is not None


def test_an_unknown_name_is_not_confirmed():
    with pytest.raises(CommandError, match="old audit"):
        call_command("sweep", "--confirm", "no such sweep")
