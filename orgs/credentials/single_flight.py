"""Waits for somebody else's attempt: one thread of this process polls, the others wait on it.

Five hundred callers on one cold credential must not become five hundred pollers. The first who
waits for a credential looks at its row, 50 ms apart at first and 250 ms later; what it sees it
tells the others. When it has what it came for, the next one takes over.
"""

import threading
import time
import uuid
from dataclasses import dataclass, field

from django.conf import settings

from authn.database.connections import release_database
from orgs.credentials.failures import error_for
from orgs.credentials.refresh_lock import LockStatus, status

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.25


@dataclass(slots=True)
class _Flight:
    """What the waiters on one credential share."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    waiters: int = 0
    polling: bool = False
    looks: int = 0
    sight: LockStatus | None = None


_flights: dict[uuid.UUID, _Flight] = {}
_flights_lock = threading.Lock()


def wait_for_attempt(credential_id: uuid.UUID, above: int, *, deadline: float) -> LockStatus | None:
    """Wait until the credential's generation is above `above`, or its lease is free.

    Returns what was seen last, which may be neither when `deadline` (of time.monotonic) came
    first; None when the credential is gone. A quarter of WEB_THREADS is kept free of waiters:
    raises SalesforceUnavailable (UPSTREAM_BUSY) when all others wait already.
    """
    release_database()
    watch = _enter(credential_id)
    try:
        return _wait(watch, credential_id, above, deadline)
    finally:
        _leave(credential_id, watch)


def _wait(watch: _Flight, credential_id: uuid.UUID, above: int, deadline: float) -> LockStatus | None:
    seen_on_arrival = watch.looks
    while True:
        with watch.changed:
            while watch.polling and not _is_served(watch, above, seen_on_arrival):
                if not watch.changed.wait(timeout=max(0.0, deadline - time.monotonic())):
                    return watch.sight or LockStatus(above, 1.0)
            if _is_served(watch, above, seen_on_arrival):
                return watch.sight
            watch.polling = True
        if _poll(watch, credential_id, above, deadline):
            return watch.sight


def _poll(watch: _Flight, credential_id: uuid.UUID, above: int, deadline: float) -> bool:
    """Look for all waiters until this one is served or out of time; then hand the task on."""
    pause = _FIRST_PAUSE
    try:
        while True:
            sight = status(credential_id)
            release_database()
            with watch.changed:
                watch.sight, watch.looks = sight, watch.looks + 1
                watch.changed.notify_all()
            if sight is None or sight.generation > above or not sight.lock_remaining or time.monotonic() >= deadline:
                return True
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
    finally:
        with watch.changed:
            watch.polling = False
            watch.changed.notify_all()


def _is_served(watch: _Flight, above: int, seen_on_arrival: int) -> bool:
    """Tell whether the last look answers a waiter. One from before its arrival may be out of date."""
    if watch.looks == seen_on_arrival:
        return False
    return watch.sight is None or watch.sight.generation > above or not watch.sight.lock_remaining


def _enter(credential_id: uuid.UUID) -> _Flight:
    with _flights_lock:
        waiting = sum(watch.waiters for watch in _flights.values())
        if waiting >= settings.WEB_THREADS - settings.WEB_THREADS // 4:
            raise error_for("UPSTREAM_BUSY")
        watch = _flights.setdefault(credential_id, _Flight())
        watch.waiters += 1
        return watch


def _leave(credential_id: uuid.UUID, watch: _Flight) -> None:
    with _flights_lock:
        watch.waiters -= 1
        if not watch.waiters:
            _flights.pop(credential_id, None)
