"""Waits for another caller's refresh attempt. One thread of this process polls the row for all that wait.

Five hundred callers of one credential must not become five hundred pollers. The first thread that waits
polls the row, every 50 ms at first and every 250 ms later, and shares each status with the others. When
its own wait is over, another waiting thread takes over.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings

from authn.database.connections import release_database
from orgs.credentials.failures import error_for
from orgs.credentials.refresh_lock import LockStatus, status

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.25


@dataclass(slots=True)
class _Flight:
    """What the threads that wait for one credential share. `polls` counts how often `status` was read."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    waiters: int = 0
    polling: bool = False
    polls: int = 0
    status: LockStatus | None = None


# Credentials whose refresh lock a thread of this process is acquiring.
_acquiring: set[uuid.UUID] = set()
_flights: dict[uuid.UUID, _Flight] = {}
_flights_lock = threading.Lock()


@contextmanager
def first_to_acquire(credential_id: uuid.UUID) -> Iterator[bool]:
    """Yield whether no other thread of this process is acquiring the refresh lock of a credential.

    Among hundreds of callers, each acquisition that fails would be a transaction for nothing.
    """
    with _flights_lock:
        first = credential_id not in _acquiring
        _acquiring.add(credential_id)
    try:
        yield first
    finally:
        if first:
            with _flights_lock:
                _acquiring.discard(credential_id)


def wait_for_attempt(credential_id: uuid.UUID, generation: int, *, deadline: float) -> LockStatus | None:
    """Wait until the credential's generation is above `generation`, or its refresh lock is free.

    Returns the newest status, in which neither is true if `deadline` (of time.monotonic()) came first; None if
    the credential was deleted. A quarter of WEB_THREADS is kept free of waiting threads: raises
    SalesforceUnavailable (UPSTREAM_BUSY) if all others are waiting.
    """
    release_database()
    flight = _enter(credential_id)
    try:
        return _wait(flight, credential_id, generation, deadline)
    finally:
        _leave(credential_id, flight)


def _wait(flight: _Flight, credential_id: uuid.UUID, generation: int, deadline: float) -> LockStatus | None:
    polls_on_arrival = flight.polls
    while True:
        with flight.changed:
            while flight.polling and not _is_over(flight, generation, polls_on_arrival):
                if not flight.changed.wait(timeout=max(0.0, deadline - time.monotonic())):
                    return flight.status or LockStatus(generation, 1.0)
            if _is_over(flight, generation, polls_on_arrival):
                return flight.status
            flight.polling = True
        if _poll(flight, credential_id, generation, deadline):
            return flight.status


def _poll(flight: _Flight, credential_id: uuid.UUID, generation: int, deadline: float) -> bool:
    """Poll for all waiting threads until this thread's wait is over or its deadline has passed."""
    pause = _FIRST_PAUSE
    try:
        while True:
            newest = status(credential_id)
            release_database()
            with flight.changed:
                flight.status, flight.polls = newest, flight.polls + 1
                flight.changed.notify_all()
            ended = newest is None or newest.generation > generation or not newest.lock_remaining
            if ended or time.monotonic() >= deadline:
                return True
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    finally:
        with flight.changed:
            flight.polling = False
            flight.changed.notify_all()


def _is_over(flight: _Flight, generation: int, polls_on_arrival: int) -> bool:
    """Return True if the newest status ends a thread's wait. One from before its arrival may be out of date."""
    if flight.polls == polls_on_arrival:
        return False
    return flight.status is None or flight.status.generation > generation or not flight.status.lock_remaining


def _enter(credential_id: uuid.UUID) -> _Flight:
    with _flights_lock:
        waiting = sum(flight.waiters for flight in _flights.values())
        if waiting >= settings.WEB_THREADS - settings.WEB_THREADS // 4:
            raise error_for("UPSTREAM_BUSY")
        flight = _flights.setdefault(credential_id, _Flight())
        flight.waiters += 1
        return flight


def _leave(credential_id: uuid.UUID, flight: _Flight) -> None:
    with _flights_lock:
        flight.waiters -= 1
        if not flight.waiters:
            _flights.pop(credential_id, None)
