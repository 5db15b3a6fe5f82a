"""Background loops: they survive every failure, and say how long ago they made progress."""

import logging
import time
from collections.abc import Callable

import pytest
from django.db import InternalError, OperationalError, ProgrammingError

from authn.loops import Loop

FAILURES: list[Exception] = [
    InternalError("cannot execute UPDATE in a read-only transaction"),
    ProgrammingError("relation does not exist"),
    OperationalError("gone"),
    OSError("no space"),
    KeyError("a bug"),
    MemoryError(),
]


def _failing(*failures: Exception) -> Callable[[], None]:
    left = list(failures)

    def work() -> None:
        if left:
            raise left.pop(0)

    return work


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_loop_survives_every_exception(failure, db):
    loop = Loop("test", 0.01, _failing(failure))

    assert [loop.run_once(), loop.run_once()] == [False, True]


def test_a_started_loop_goes_on_after_failures():
    rounds: list[int] = []

    def work() -> None:
        rounds.append(1)
        if len(rounds) < 4:
            raise InternalError("read-only")

    Loop("test-going-on", 0.01, work).start()

    until = time.monotonic() + 10
    while len(rounds) < 5 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(rounds) >= 5


def test_the_age_grows_while_rounds_fail_and_restarts_with_a_good_one(db, monkeypatch):
    loop = Loop("test", 0.01, _failing(InternalError("read-only")))
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 100)

    loop.run_once()
    assert loop.age() > 99

    loop.run_once()
    assert loop.age() < 10


def test_a_failure_that_lasts_is_logged_once_a_minute(caplog, db):
    loop = Loop("test", 0.01, _failing(*[InternalError("read-only") for _ in range(5)], KeyError("other")))

    with caplog.at_level(logging.ERROR):
        for _ in range(6):
            loop.run_once()

    assert [record.getMessage() for record in caplog.records] == ["Background loop test failed; retrying."] * 2
