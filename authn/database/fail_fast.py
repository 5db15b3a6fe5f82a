"""Circuit breaker for operations that fail slowly, such as waiting for a lock."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class GateClosed(Exception):
    """Another caller has just failed slowly, so this one fails at once."""


class FailFastGate:
    """A circuit breaker for an operation that can fail slowly, such as waiting for a lock.

    Without it, each of a hundred callers would wait for the lock in turn, holding a thread and a connection. After a
    failure that took `slow_seconds`, callers fail at once for `pause_seconds`; then one caller makes a trial. Only a
    successful trial closes the breaker: one that failed fast may have had a shorter time-out than other callers.
    """

    def __init__(self, *, slow_seconds: float, pause_seconds: float) -> None:
        self._slow_seconds = slow_seconds
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._blocked_until: float | None = None
        self._is_tried = False

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Run a block that may fail slowly. Raises GateClosed instead while the breaker is open."""
        is_trial = self._enter()
        began, succeeded = time.monotonic(), False
        try:
            yield
            succeeded = True
        finally:
            self._leave(is_trial, succeeded=succeeded, seconds=time.monotonic() - began)

    def reset(self) -> None:
        """Reset to the initial state."""
        with self._lock:
            self._blocked_until, self._is_tried = None, False

    def _enter(self) -> bool:
        with self._lock:
            if self._blocked_until is None:
                return False
            if self._is_tried or time.monotonic() < self._blocked_until:
                raise GateClosed
            self._is_tried = True
            return True

    def _leave(self, is_trial: bool, *, succeeded: bool, seconds: float) -> None:
        with self._lock:
            self._is_tried = self._is_tried and not is_trial
            if not succeeded and (is_trial or seconds >= self._slow_seconds):
                self._blocked_until = time.monotonic() + self._pause_seconds
            elif succeeded and is_trial:
                self._blocked_until = None
