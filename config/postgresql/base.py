"""The DatabaseWrapper that Django looks for: connections are checked when taken, and none is waited for long."""

import select
import time
from typing import Any

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from psycopg import Error
from psycopg_pool import ConnectionPool, PoolTimeout

from config.postgresql.connection import DeadlineConnection, answer_within, shortened

# A connection that was silent for longer is asked before it is used; one round trip.
_ASKED_AFTER_SECONDS = 2.0
_ANSWER_TO_CHECK_SECONDS = 1.0
# So long a connection is waited for once a wait was too long, until one is there again.
_PATIENCE_WHILE_AWAY_SECONDS = 0.25
# While the database answers others, all connections are only busy: then it is worth waiting for one that long.
_PATIENCE_WHILE_BUSY_SECONDS = 10.0
_NEXT_LOOK_SECONDS = 0.5
_NO_LIMITS = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0"
_OWN_LIMITS = "RESET statement_timeout; RESET lock_timeout; RESET idle_in_transaction_session_timeout"


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for how a connection is taken from the pool."""

    _is_away = False  # of the process: the last wait for a connection was too long

    def get_connection_params(self) -> dict[str, Any]:
        """Return the arguments of `connect`. Whoever creates or drops a whole database gets no limits."""
        params: dict[str, Any] = super().get_connection_params()
        limits = params.pop("limits", "")
        if self._is_pooled:
            params["options"] = f"{limits} {params.get('options', '')}".strip()
        else:
            params.pop("answer_seconds", None)
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Take a connection that works from the pool. Raises PoolTimeout, an OperationalError, when there is none.

        Those that the server has closed, or does not answer on, are replaced.
        """
        if not self._is_pooled:
            return super().get_new_connection(conn_params)
        self.isolation_level = IsolationLevel.READ_COMMITTED  # as Django notes it by default
        pool: ConnectionPool[Any] = self.pool
        pool.open()
        began = time.monotonic()
        until = began + self._patience(pool)
        while True:
            try:
                connection = pool.getconn(timeout=until - time.monotonic())
            except PoolTimeout:
                if not self._is_only_busy(began):
                    DatabaseWrapper._is_away = not DeadlineConnection.has_been_heard()
                    raise
                until = time.monotonic() + _NEXT_LOOK_SECONDS
                continue
            if _works(connection, until):
                DatabaseWrapper._is_away = False
                return connection
            connection.close()
            pool.putconn(connection)

    def lift_limits(self) -> None:
        """Let statements of this connection take as long as they need, for a migration."""
        with self.cursor() as cursor:
            cursor.execute(_NO_LIMITS)
        if isinstance(self.connection, DeadlineConnection):
            self.connection.answer_seconds = None

    def restore_limits(self) -> None:
        """End what `lift_limits` began."""
        with self.cursor() as cursor:
            cursor.execute(_OWN_LIMITS)
        if isinstance(self.connection, DeadlineConnection):
            self.connection.answer_seconds = self.settings_dict["OPTIONS"].get("answer_seconds")

    @property
    def _is_pooled(self) -> bool:
        return self.alias != NO_DB_ALIAS and bool(self.settings_dict["OPTIONS"].get("pool"))

    def _patience(self, pool: "ConnectionPool[Any]") -> float:
        seconds = min(pool.timeout, _PATIENCE_WHILE_AWAY_SECONDS) if self._is_away else pool.timeout
        return shortened(seconds) or seconds

    def _is_only_busy(self, began: float) -> bool:
        """Return True if a wait that began then should go on, because the database answers others."""
        limit = shortened(_PATIENCE_WHILE_BUSY_SECONDS)
        is_alive = DeadlineConnection.has_been_heard()
        return is_alive and limit == _PATIENCE_WHILE_BUSY_SECONDS and time.monotonic() - began < limit


def _works(connection: DeadlineConnection, until: float) -> bool:
    """Return True if the server answers on a connection, as far as can be known without asking each time."""
    if connection.closed:
        return False
    rested = time.monotonic() - connection.heard_at
    if rested < _ASKED_AFTER_SECONDS and not _has_been_spoken_to(connection):
        return True
    try:
        with answer_within(min(_ANSWER_TO_CHECK_SECONDS, until - time.monotonic())):
            ConnectionPool.check_connection(connection)
    except Error:
        return False
    return True


def _has_been_spoken_to(connection: DeadlineConnection) -> bool:
    """Return True if bytes have arrived that nobody asked for: most often the server's word that it has closed."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
