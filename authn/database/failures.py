"""Classifies database failures, and runs writes that may fail without failing the request."""

import logging
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DataError, Error, IntegrityError, connection, transaction

logger = logging.getLogger("frontdesk.database")

# How long an optional write may wait for a lock.
_LOCK_SECONDS = 0.05
_LOG_EVERY_SECONDS = 60.0
_MISSING_STATES = ("42P01", "42703")  # SQLSTATE undefined_table, undefined_column
_MISSING_IN_SQLITE = re.compile(r"no such (?:table|column)|table \S+ has no column")
_logged_at = float("-inf")


def is_database_failure(error: BaseException) -> bool:
    """Return True if a retry may help: the database is unreachable, busy, locked, full, read-only or not migrated.

    A row that violates a constraint or does not fit its column is a bug, which a retry does not fix.
    """
    return isinstance(error, Error) and not isinstance(error, IntegrityError | DataError)


def is_schema_behind(error: BaseException) -> bool:
    """Return True if a table or column does not exist, as before `manage.py migrate`."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "sqlstate", None) in _MISSING_STATES or _is_missing_in_sqlite(cause):
            return True
        cause = cause.__cause__
    return False


def _is_missing_in_sqlite(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and bool(_MISSING_IN_SQLITE.match(str(error)))


def write_if_possible(write: Callable[[], object]) -> bool:
    """Run an optional write, such as the time of a token's last use. Returns False if it failed.

    It hardly waits for locks, and a failure is only logged: reads succeed while the database is read-only.
    """
    try:
        with lock_wait(_LOCK_SECONDS):
            write()
    except Error as error:
        _log(error)
        return False
    return True


@contextmanager
def lock_wait(seconds: float) -> Iterator[None]:
    """Open a transaction that waits at most `seconds` for a lock. Inside a transaction, it is only a savepoint."""
    if connection.in_atomic_block:
        with transaction.atomic():
            yield
    elif connection.vendor == "sqlite":
        with _busy_timeout(seconds), transaction.atomic():
            yield
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = %s", [round(seconds * 1000)])
            yield


@contextmanager
def _busy_timeout(seconds: float) -> Iterator[None]:
    """Set how long SQLite waits for its write lock. BEGIN IMMEDIATE takes the lock, so this must come first."""
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {before}")


def _log(error: Error) -> None:
    """Log one failure a minute: on a read-only database, every request fails one such write."""
    global _logged_at
    if time.monotonic() - _logged_at >= _LOG_EVERY_SECONDS:
        _logged_at = time.monotonic()
        logger.warning("An optional write failed.", exc_info=error)
