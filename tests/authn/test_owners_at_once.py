"""Concurrent changes of owners: each change is made or refused, and one owner stays."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection

from authn.errors import LastOwner
from authn.models import User
from authn.principals import system
from authn.roles import Role
from authn.users import set_password, update_user
from tests.support.browser_client import Visitor
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
BY = system("tests")
TRIES = 50
OFF, ON = {"is_active": False}, {"is_active": True}
DEMOTED, PROMOTED = {"role": Role.MEMBER}, {"role": Role.OWNER}


@pytest.fixture
def owners(a_person) -> list[User]:
    return sorted((a_person(f"owner{number}@acme.example", Role.OWNER) for number in (1, 2)), key=lambda each: each.pk)


def _change(person: User, **change) -> str:
    try:
        update_user(person, by=BY, **change)
    except LastOwner:
        return "refused"
    return "changed"


def _active_owners() -> int:
    return User.objects.filter(role=Role.OWNER, is_active=True).count()


@pytest.mark.parametrize("change", [DEMOTED, OFF], ids=["demoted", "switched off"])
def test_two_owners_cannot_demote_each_other_at_once(change, owners):
    for _ in range(TRIES):
        User.objects.update(role=Role.OWNER, is_active=True)

        ended = run_together([partial(_change, person, **change) for person in owners])

        assert sorted(ended) == ["changed", "refused"]
        assert _active_owners() == 1


@pytest.mark.parametrize("changes", [[DEMOTED, PROMOTED], [OFF, ON]], ids=["demoted and promoted", "off and on"])
def test_concurrent_changes_do_not_deadlock(changes, owners):
    def work(start: int) -> Counter[str]:
        turns = range(start, start + TRIES)
        return Counter(_change(owners[turn % 2], **changes[turn // 2 % 2]) for turn in turns)

    ended = sum(run_together([partial(work, start) for start in range(8)]), Counter())

    assert ended.total() == 8 * TRIES
    assert _active_owners() >= 1


@pytest.mark.parametrize(("forms", "tries"), [(1, TRIES), (8, 20)], ids=["one form each", "eight forms each"])
def test_the_console_answers_owners_who_demote_each_other(forms, tries, owners):
    # With several forms each, some requests select the owners before the first demotion and others after it. Rows
    # locked by more than one statement are then locked in different orders.
    persons = owners * forms
    sends = [_demotion(of=person, by=owners[1 - number % 2]) for number, person in enumerate(persons)]

    for _ in range(tries):
        User.objects.update(role=Role.OWNER)
        responses = run_together(sends)

        # The others get an error about the last owner or, if demoted first, a redirect to the log-in.
        assert Counter(response.status_code for response in responses if response.status_code >= 400) == {}
        ended = zip(persons, responses, strict=True)
        demoted = {person for person, response in ended if response.headers.get("Location") == "/console/authn/user/"}
        assert demoted == set(User.objects.filter(role=Role.MEMBER))
        assert _active_owners() == 1


def _demotion(*, of: User, by: User) -> Callable[[], Any]:
    """Open the console's form for a person in a new session. Returns a call that sends it with the role of a member."""
    page = f"/console/authn/user/{of.pk}/change/"
    visitor = Visitor().sign_in(by)
    return partial(visitor.send, page, visitor.get(page), {"role": "member", "is_active": "on"})


# --- A deadlock with another transaction -------------------------------------------------------------

CHANGES: dict[str, Callable[[User], User]] = {
    "a person switched off": lambda person: update_user(person, by=BY, is_active=False),
    "a new password": lambda person: set_password(person, "another-long-password", by=BY, how="test"),
}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one transaction write at a time")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_retried_after_a_deadlock(change, owners):
    person = owners[0]

    # The database chooses which of the two transactions it ends: nearly always ours, which began to wait first.
    ours_was_ended = any(_cross(change, person) for _ in range(TRIES))

    assert ours_was_ended


def _cross(change: Callable[[User], User], person: User) -> bool:
    """Run a change into a deadlock and assert that it was made. Return True if it was retried."""
    log_in = person.login_families.create(expires_at="2100-01-01T00:00:00Z")
    other_holds_log_in = threading.Event()

    def other() -> bool:
        """Lock the row that the change locks last, wait until it blocks there, and request a row that it holds."""
        with suppress(psycopg.errors.DeadlockDetected), _connect() as line:
            line.execute("SELECT 1 FROM authn_loginfamily WHERE id = %s FOR UPDATE", [log_in.pk])
            other_holds_log_in.set()
            _wait_for_a_waiter()
            line.execute("SELECT 1 FROM authn_user WHERE id = %s FOR UPDATE", [person.pk])
            return True
        return False

    def ours() -> User:
        assert other_holds_log_in.wait(30)
        return change(person)

    went_through, changed = run_together([other, ours])
    person.refresh_from_db()
    log_in.refresh_from_db()
    assert isinstance(changed, User)
    assert (person.is_active, person.password) == (changed.is_active, changed.password)
    assert log_in.revoked_at is not None
    return bool(went_through)


def _connect() -> "psycopg.Connection[Any]":
    of = connection.settings_dict
    return psycopg.connect(
        host=of["HOST"], port=of["PORT"] or 5432, dbname=of["NAME"], user=of["USER"], password=of["PASSWORD"]
    )


def _wait_for_a_waiter() -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    until = time.monotonic() + 30
    with _connect() as looker:
        looker.autocommit = True
        while not looker.execute(waiting).fetchone()[0]:  # type: ignore[index]
            assert time.monotonic() < until, "Nothing waits for a lock."
            time.sleep(0.005)
