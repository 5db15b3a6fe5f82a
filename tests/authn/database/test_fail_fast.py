"""Callers fail fast while a dependency is slow, and one caller at a time tries it."""

import threading
import time
from contextlib import suppress

import pytest

from authn.database.fail_fast import FailFastGate, GateClosed


class _Locked(Exception):
    """Represents a database failure."""


def _fail_after(gate: FailFastGate, seconds: float) -> None:
    with suppress(_Locked), gate.attempt():
        time.sleep(seconds)
        raise _Locked


def test_a_quick_failure_does_not_affect_other_callers():
    gate = FailFastGate(slow_seconds=5, pause_seconds=60)
    _fail_after(gate, 0)

    with gate.attempt():
        pass


def test_after_a_slow_failure_callers_fail_at_once():
    gate = FailFastGate(slow_seconds=0.01, pause_seconds=60)
    _fail_after(gate, 0.02)

    for _ in range(2):
        with pytest.raises(GateClosed), gate.attempt():
            raise AssertionError("unreachable")


def test_after_the_pause_one_tries_and_the_others_go_on_failing():
    gate = FailFastGate(slow_seconds=0.01, pause_seconds=0)
    _fail_after(gate, 0.02)
    trying, end = threading.Event(), threading.Event()

    def attempt() -> None:
        with gate.attempt():
            trying.set()
            end.wait(10)

    thread = threading.Thread(target=attempt)
    thread.start()
    assert trying.wait(10)
    with pytest.raises(GateClosed), gate.attempt():
        raise AssertionError("unreachable")
    end.set()
    thread.join(10)

    with gate.attempt():
        pass


@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_a_trial_that_fails_keeps_the_others_out_for_another_pause(seconds):
    gate = FailFastGate(slow_seconds=0.01, pause_seconds=0)
    _fail_after(gate, 0.02)
    gate._pause_seconds = 60

    _fail_after(gate, seconds)

    with pytest.raises(GateClosed), gate.attempt():
        raise AssertionError("unreachable")


def test_a_successful_trial_admits_all_callers():
    gate = FailFastGate(slow_seconds=0.01, pause_seconds=0)
    _fail_after(gate, 0.02)

    with gate.attempt():
        pass

    with gate.attempt(), gate.attempt():
        pass
