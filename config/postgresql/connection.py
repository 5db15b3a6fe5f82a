"""A PostgreSQL connection with a client-side limit on every wait for the server.

The server enforces `statement_timeout` and `lock_timeout`, and TCP's limits detect a host that has disappeared. Neither
helps when the server's kernel acknowledges every byte and the server process does not respond.
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
# Rows are tuples, whose columns depend on the statement.
TupleConnection = Connection[tuple[Any, ...]]

logger = logging.getLogger("frontdesk.database")

_WAIT_INTERVAL = 0.1
_SHORTEST_WAIT = 0.05
_RECENT_SECONDS = 1.0
_thread = threading.local()


@contextmanager
def wait_limit(seconds: float) -> Iterator[None]:
    """Limit the total of this thread's waits for PostgreSQL to `seconds`; an enclosing shorter limit applies."""
    before = getattr(_thread, "until", None)
    until = time.monotonic() + seconds
    _thread.until = until if before is None else min(until, before)
    try:
        yield
    finally:
        _thread.until = before


def shortened(seconds: float | None) -> float | None:
    """Return the time-out of a wait of this thread: `seconds` (None is no limit), or less inside `wait_limit`."""
    until: float | None = getattr(_thread, "until", None)
    if until is None:
        return seconds
    left = max(_SHORTEST_WAIT, until - time.monotonic())
    return left if seconds is None else min(seconds, left)


class DeadlineConnection(TupleConnection):
    """Closes itself and raises OperationalError after a silence of `max_silence_seconds` (None: no limit)."""

    max_silence_seconds: float | None = None
    heard_at: float = 0.0  # time.monotonic() of the last response
    last_heard_at: ClassVar[float] = 0.0  # on any connection of this process
    _drained_at: ClassVar[float] = 0.0
    _has_warned_of_pooler: ClassVar[bool] = False

    @classmethod
    def connect(cls, conninfo: str = "", *, max_silence_seconds: float | None = None, **kwargs: Any) -> Self:  # type: ignore[override]  # one more argument
        """Connect, without start-up options if a pooler such as PgBouncer refuses them."""
        try:
            connection = super().connect(conninfo, **kwargs)
        except OperationalError as error:
            if "options" not in kwargs or "unsupported startup parameter" not in str(error):
                raise
            cls._warn_of_pooler()
            connection = super().connect(conninfo, **{name: kwargs[name] for name in kwargs if name != "options"})
        connection.max_silence_seconds = max_silence_seconds
        connection.hear()
        return connection

    def wait(self, gen: PQGen[Result], interval: float = _WAIT_INTERVAL, timeout: float | None = None) -> Result:
        """Run an exchange with the server. All calls but `connect` use this method."""
        if timeout is not None:  # The caller handles its own time-out.
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            result = super().wait(gen, interval, shortened(self.max_silence_seconds))
        except _WaitTimeout as error:
            self.close()
            self._drop_idle(began)
            raise OperationalError("The database did not respond in time, so the connection was closed.") from error
        self.hear()
        return result

    def hear(self) -> None:
        """Record that the server has responded."""
        self.heard_at = DeadlineConnection.last_heard_at = time.monotonic()

    def _drop_idle(self, silent_since: float) -> None:
        """Replace the pool's other connections: they lead to the same server, and each would cost a wait.

        One drain serves all concurrent waits: connections made after this wait began are not affected.
        """
        pool: ConnectionPool[DeadlineConnection] | None = getattr(self, "_pool", None)
        if pool is not None and DeadlineConnection._drained_at < silent_since:
            DeadlineConnection._drained_at = time.monotonic()
            pool.drain()

    @classmethod
    def has_been_heard(cls) -> bool:
        """Return True if the database has responded to this process, on any connection, within the last second."""
        return time.monotonic() - DeadlineConnection.last_heard_at < _RECENT_SECONDS

    @classmethod
    def _warn_of_pooler(cls) -> None:
        if not DeadlineConnection._has_warned_of_pooler:
            DeadlineConnection._has_warned_of_pooler = True
            logger.warning(
                "The connection pooler refuses start-up options, so the time-outs of this desk do not apply. "
                "Set them on the database role: docs/operations.md, PgBouncer."
            )
