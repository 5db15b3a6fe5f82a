"""Background loops of a process. A loop survives every exception and reports its progress."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import close_old_connections

logger = logging.getLogger("frontdesk.loops")

# A repeated failure is logged once a minute, not in every round.
_LOG_EVERY_SECONDS = 60.0
# After a failure, the next round follows soon, however long the interval.
_RETRY_SECONDS = 1.0
# Longer than any round without progress: each wait for Salesforce or the database has its own limit.
_STUCK_AFTER_SECONDS = 120.0
_STUCK_AFTER_PERIODS = 10


@dataclass(slots=True)
class Loop:
    """Calls `work` every `every_seconds`, in a thread that ends with the process.

    An exception ends one round, never the loop. `age()` is the time since a round last made progress;
    `is_stuck()` is about the thread itself, whether its rounds succeed or fail.
    """

    name: str
    every_seconds: float
    work: Callable[[], object]
    _progress_at: float = field(default_factory=time.monotonic)
    _round_at: float = field(default_factory=time.monotonic)
    _logged: tuple[str, float] = ("", 0.0)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the loop in its own thread, and add it to `loops()`."""
        _loops[self.name] = self
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def age(self) -> float:
        """Return the seconds since the loop last made progress."""
        return time.monotonic() - self._progress_at

    def is_stuck(self) -> bool:
        """Return True if the thread has ended, or no round has started, ended or made progress for too long."""
        if self._thread is not None and not self._thread.is_alive():
            return True
        limit = _STUCK_AFTER_SECONDS + _STUCK_AFTER_PERIODS * self.every_seconds
        return time.monotonic() - max(self._round_at, self._progress_at) > limit

    def progress(self) -> None:
        """Record progress within a long round."""
        self._progress_at = time.monotonic()

    def run_once(self) -> bool:
        """Run one round. Returns False when it failed; the failure is logged."""
        self._round_at = time.monotonic()
        try:
            self.work()
        except Exception as error:
            self._log(error)
            return False
        finally:
            self._round_at = time.monotonic()
        self.progress()
        return True

    def _run(self) -> None:
        while True:
            succeeded = self.run_once()
            with suppress(Exception):
                close_old_connections()
            time.sleep(self.every_seconds if succeeded else min(self.every_seconds, _RETRY_SECONDS))

    def _log(self, error: Exception) -> None:
        kind, logged_at = self._logged
        if type(error).__name__ != kind or time.monotonic() - logged_at >= _LOG_EVERY_SECONDS:
            logger.exception("Background loop %s failed; retrying.", self.name)
            self._logged = (type(error).__name__, time.monotonic())


_loops: dict[str, Loop] = {}


def loops() -> tuple[Loop, ...]:
    """Return the loops that this process has started."""
    return tuple(_loops.values())
