"""A PostgreSQL connection that waits for an answer only for a limited time.

`statement_timeout` and `lock_timeout` are the server's to keep, and TCP's own limits find a host that is gone. Neither
helps when the server's kernel acknowledges every byte and the server itself stays silent, so the client counts too.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self, TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg_pool import ConnectionPool

Result = TypeVar("Result")

logger = logging.getLogger("frontdesk.database")

_WAIT_INTERVAL = 0.1
_SHORTEST_WAIT = 0.05
_HEARD_LATELY_SECONDS = 1.0
_thread = threading.local()


@contextmanager
def answer_within(seconds: float) -> Iterator[None]:
    """Limit all waits of this thread for PostgreSQL together to `seconds` from now; a shorter limit stays."""
    before = getattr(_thread, "until", None)
    until = time.monotonic() + seconds
    _thread.until = until if before is None else min(until, before)
    try:
        yield
    finally:
        _thread.until = before


def shortened(seconds: float | None) -> float | None:
    """Return the time that a wait of this thread may take: `seconds` (None is no limit), or less in `answer_within`."""
    until: float | None = getattr(_thread, "until", None)
    if until is None:
        return seconds
    left = max(_SHORTEST_WAIT, until - time.monotonic())
    return left if seconds is None else min(seconds, left)


class DeadlineConnection(Connection[Any]):
    """Closes itself and raises OperationalError when the server says nothing for `answer_seconds` (None: no limit)."""

    answer_seconds: float | None = None
    heard_at: float = 0.0  # time.monotonic() of the last answer
    last_heard_at: ClassVar[float] = 0.0  # on any connection of this process
    _drained_at: ClassVar[float] = 0.0
    _told_of_pooler: ClassVar[bool] = False

    @classmethod
    def connect(cls, conninfo: str = "", *, answer_seconds: float | None = None, **kwargs: Any) -> Self:  # type: ignore[override]  # one argument more
        """Connect. A pooler such as PgBouncer that refuses start-up options gets none."""
        try:
            connection = super().connect(conninfo, **kwargs)
        except OperationalError as error:
            if "options" not in kwargs or "unsupported startup parameter" not in str(error):
                raise
            cls._tell_of_pooler()
            connection = super().connect(conninfo, **{name: kwargs[name] for name in kwargs if name != "options"})
        connection.answer_seconds = answer_seconds
        connection.hear()
        return connection

    def wait(self, gen: PQGen[Result], interval: float = _WAIT_INTERVAL, timeout: float | None = None) -> Result:
        """Run a conversation with the server to its end. Everything but connecting comes through here."""
        if timeout is not None:  # The caller asked for a limit and handles it.
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            result = super().wait(gen, interval, shortened(self.answer_seconds))
        except _WaitTimeout as error:
            self.close()
            self._drop_idle(began)
            raise OperationalError("The database did not answer in time, so the connection was closed.") from error
        self.hear()
        return result

    def hear(self) -> None:
        """Note that the server has answered."""
        self.heard_at = DeadlineConnection.last_heard_at = time.monotonic()

    def _drop_idle(self, silent_since: float) -> None:
        """Replace the pool's other connections: they lead to the same server and would each cost a wait.

        Those that were made after this wait began say nothing about it, so one drain serves all waits of a time.
        """
        pool: ConnectionPool[Any] | None = getattr(self, "_pool", None)
        if pool is not None and DeadlineConnection._drained_at < silent_since:
            DeadlineConnection._drained_at = time.monotonic()
            pool.drain()

    @classmethod
    def has_been_heard(cls) -> bool:
        """Return True if the database has answered this process, on any connection, within the last second."""
        return time.monotonic() - DeadlineConnection.last_heard_at < _HEARD_LATELY_SECONDS

    @classmethod
    def _tell_of_pooler(cls) -> None:
        if not DeadlineConnection._told_of_pooler:
            DeadlineConnection._told_of_pooler = True
            logger.warning(
                "The connection pooler takes no start-up options, so the database has no time-outs of this desk. "
                "Set them on its role: docs/operations.md, PgBouncer."
            )
