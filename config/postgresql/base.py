"""The DatabaseWrapper that Django imports: connections are checked when taken, and waits for one are short."""

import select
import time
from typing import cast

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from psycopg import Error
from psycopg_pool import ConnectionPool, PoolTimeout

from config.postgresql.connection import DeadlineConnection, TupleConnection, shortened, wait_limit

# A connection that was idle for longer is checked before use, with one round trip.
_CHECK_AFTER_SECONDS = 2.0
_CHECK_TIMEOUT_SECONDS = 1.0
# The wait for a connection after one has timed out, until a connection is available again.
_WAIT_WHILE_AWAY_SECONDS = 0.25
# The wait while all connections are busy and the database responds on them.
_WAIT_WHILE_BUSY_SECONDS = 10.0
_RECHECK_SECONDS = 0.5
_NO_LIMITS = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0"
_OWN_LIMITS = "RESET statement_timeout; RESET lock_timeout; RESET idle_in_transaction_session_timeout"


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own wrapper, which takes connections from the pool with a deadline."""

    _is_away = False  # per process: the last wait for a connection timed out

    def get_connection_params(self) -> dict[str, object]:
        """Return the arguments of `connect`, without limits for commands that create or drop a database."""
        params: dict[str, object] = super().get_connection_params()
        limits = params.pop("limits", "")
        if self._is_pooled:
            params["options"] = f"{limits} {params.get('options', '')}".strip()
        else:
            params.pop("max_silence_seconds", None)
        return params

    def get_new_connection(self, conn_params: dict[str, object]) -> TupleConnection:
        """Take a working connection from the pool. Raises PoolTimeout, an OperationalError, if there is none.

        Connections that the server has closed, or does not respond on, are replaced.
        """
        if not self._is_pooled:
            return cast(TupleConnection, super().get_new_connection(conn_params))
        self.isolation_level = IsolationLevel.READ_COMMITTED  # Django's default
        pool: ConnectionPool[DeadlineConnection] = self.pool
        pool.open()
        began = time.monotonic()
        until = began + self._max_wait(pool)
        while True:
            try:
                connection = pool.getconn(timeout=until - time.monotonic())
            except PoolTimeout:
                if not self._is_only_busy(began):
                    DatabaseWrapper._is_away = not DeadlineConnection.has_been_heard()
                    raise
                until = time.monotonic() + _RECHECK_SECONDS
                continue
            if _works(connection, until):
                DatabaseWrapper._is_away = False
                return connection
            connection.close()
            pool.putconn(connection)

    def lift_limits(self) -> None:
        """Remove the time-outs of this connection, for a migration."""
        with self.cursor() as cursor:
            cursor.execute(_NO_LIMITS)
        if isinstance(self.connection, DeadlineConnection):
            self.connection.max_silence_seconds = None

    def restore_limits(self) -> None:
        """Restore the time-outs that `lift_limits` removed."""
        with self.cursor() as cursor:
            cursor.execute(_OWN_LIMITS)
        if isinstance(self.connection, DeadlineConnection):
            self.connection.max_silence_seconds = self.settings_dict["OPTIONS"].get("max_silence_seconds")

    @property
    def _is_pooled(self) -> bool:
        return self.alias != NO_DB_ALIAS and bool(self.settings_dict["OPTIONS"].get("pool"))

    def _max_wait(self, pool: "ConnectionPool[DeadlineConnection]") -> float:
        seconds = min(pool.timeout, _WAIT_WHILE_AWAY_SECONDS) if self._is_away else pool.timeout
        return shortened(seconds) or seconds

    def _is_only_busy(self, began: float) -> bool:
        """Return True if a wait should continue, because the database responds on other connections."""
        limit = shortened(_WAIT_WHILE_BUSY_SECONDS)
        is_alive = DeadlineConnection.has_been_heard()
        return is_alive and limit == _WAIT_WHILE_BUSY_SECONDS and time.monotonic() - began < limit


def _works(connection: DeadlineConnection, until: float) -> bool:
    """Return True if a connection works; checks with a round trip only after an idle time."""
    if connection.closed:
        return False
    idle = time.monotonic() - connection.heard_at
    if idle < _CHECK_AFTER_SECONDS and not _has_unread_bytes(connection):
        return True
    try:
        with wait_limit(min(_CHECK_TIMEOUT_SECONDS, until - time.monotonic())):
            ConnectionPool.check_connection(connection)
    except Error:
        return False
    return True


def _has_unread_bytes(connection: DeadlineConnection) -> bool:
    """Return True if unrequested bytes have arrived, usually because the server has closed the connection."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
