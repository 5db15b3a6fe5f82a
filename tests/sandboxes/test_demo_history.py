"""The history in the audit of the demo: the same rows each time, of the last two weeks, and of the demo only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from authn import audit
from authn.models import AuditEvent
from authn.principals import system
from sandboxes.management.demo_history import DAYS, write_history

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 15, 30, tzinfo=UTC)
COLUMNS = ("at", "action", "outcome", "code", "actor_kind", "actor_name", "target_label", "details")


def _written() -> list[tuple[object, ...]]:
    write_history(NOW)
    rows = list(AuditEvent.objects.order_by("id").values_list(*COLUMNS))
    AuditEvent.objects.all().delete()
    return rows


def test_the_same_day_gives_the_same_rows():
    rows = _written()

    assert len(rows) > 150
    assert rows == _written()


def test_the_rows_are_of_the_last_two_weeks_in_the_order_of_their_times():
    times = [row[0] for row in _written()]

    assert all(isinstance(at, datetime) and NOW - timedelta(days=DAYS) < at < NOW for at in times)
    assert times == sorted(times, key=str)
    assert len({str(at)[:10] for at in times}) == DAYS


def test_each_row_says_that_it_is_of_the_demo():
    assert {str(row[-1]) for row in _written()} == {"{'demo': 'history'}"}


def test_an_audit_with_rows_is_left_as_it_is():
    audit.record(audit.Action.LOGIN, audit.Outcome.GRANTED, by=system("tests"), target=None)

    write_history(NOW)

    assert AuditEvent.objects.count() == 1


def test_a_desk_that_is_no_demo_gets_no_history(settings, tmp_path: Path):
    settings.DEMO = False

    with pytest.raises(CommandError):
        call_command("prepare_demo", directory=tmp_path)

    assert not AuditEvent.objects.exists()
