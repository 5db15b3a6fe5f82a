"""Lets the threads of a process write to a SQLite database one after the other, in the order of their arrival.

SQLite lets one transaction write at a time. The others sleep and try again, in no order: among a hundred
threads some wait until their time is over. So a process has one queue per database, and only its
first thread competes with the other processes.
"""

import threading
from collections import deque


class WriterQueue:
    """A lock that goes to the thread that has waited longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        with self._guard:
            return len(self._waiting)

    def acquire(self, seconds: float) -> bool:
        """Wait for the turn of this thread. Returns False if it did not come within `seconds`."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            if turn.wait(seconds):
                return True
        except BaseException:  # of a signal handler
            if not self._gave_up(turn):
                self.release()
            raise
        return not self._gave_up(turn)

    def _gave_up(self, turn: threading.Event) -> bool:
        """Stop waiting. Returns False if the turn has come meanwhile."""
        with self._guard:
            if turn.is_set():
                return False
            self._waiting.remove(turn)
            return True

    def release(self) -> None:
        """Let the next thread write."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


_queues: dict[str, WriterQueue] = {}
_queues_guard = threading.Lock()


def queue_of(database: str) -> WriterQueue:
    """Return this process's queue for a database."""
    with _queues_guard:
        return _queues.setdefault(database, WriterQueue())
