"""The DatabaseWrapper that Django imports from a module of this name."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base, features

from authn.private_files import create_private, make_private
from config.private_sqlite3.writer_queue import queue_of

_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class DatabaseFeatures(features.DatabaseFeatures):
    """Requires RETURNING, by which the refresh lock is acquired in one statement."""

    minimum_database_version = (3, 35)


class DatabaseWrapper(base.DatabaseWrapper):
    """Makes the database's files private before opening them, and queues the writes of the process.

    SQLite creates the files beside the database, `-wal` and `-shm`, with the mode of the database.
    """

    features_class = DatabaseFeatures

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._may_write = False
        self.execute_wrappers.append(self._execute_in_turn)

    def get_new_connection(self, conn_params: dict[str, object]) -> sqlite3.Connection:
        """Open the database."""
        name = str(conn_params["database"])
        if not self.is_in_memory_db() and not name.startswith("file:"):
            create_private(Path(name))
            for suffix in ("", "-wal", "-shm"):
                make_private(Path(name + suffix))
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        return connection

    # --- One writer of this process at a time (writer_queue.py) --------------------------------------

    def _start_transaction_under_autocommit(self) -> None:
        with self._awaited_turn():
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # not in the stubs
        self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # not in the stubs
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]  # not in the stubs
        finally:
            self._end_turn()

    def _execute_in_turn(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run a statement. A write outside a transaction is a transaction of its own, and waits as one does."""
        if self._may_write or not sql.startswith(_WRITES):
            return execute(sql, params, many, context)
        try:
            with self._awaited_turn():
                return execute(sql, params, many, context)
        finally:
            self._end_turn()

    @contextmanager
    def _awaited_turn(self) -> Iterator[None]:
        """Wait for the turn, and run a block that acquires SQLite's write lock. An error in it ends the turn.

        Both waits together take no longer than SQLite's own. Raises OperationalError, as SQLite does.
        """
        with self.wrap_database_errors:
            limit = self.connection.execute("PRAGMA busy_timeout").fetchone()[0]
        began = time.monotonic()
        if not queue_of(str(self.settings_dict["NAME"])).acquire(limit / 1000):
            raise OperationalError("database is locked")
        self._may_write = True
        try:
            with self._busy_timeout(limit - round(1000 * (time.monotonic() - began)), limit):
                yield
        except BaseException:
            self._end_turn()
            raise

    @contextmanager
    def _busy_timeout(self, milliseconds: int, usual: int) -> Iterator[None]:
        """Set how long SQLite waits for its write lock in the block."""
        if milliseconds == usual:
            yield
            return
        self.connection.execute(f"PRAGMA busy_timeout = {max(milliseconds, 0)}")
        try:
            yield
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {usual}")

    def _end_turn(self) -> None:
        if self._may_write:
            self._may_write = False
            queue_of(str(self.settings_dict["NAME"])).release()
