"""Which failures are the database's, and the writes that a request can do without."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DataError, Error, IntegrityError, connection, transaction

logger = logging.getLogger("frontdesk.database")

# What a write that no answer depends on may wait for a lock.
_LOCK_SECONDS = 0.05
_LOG_EVERY_SECONDS = 60.0
_logged_at = float("-inf")


def is_database_failure(error: BaseException) -> bool:
    """Return True if waiting may help: away, busy, locked, full, read-only, or its schema is behind.

    A row that breaks a constraint, or does not fit its column, is a bug: sending it again changes nothing.
    """
    return isinstance(error, Error) and not isinstance(error, IntegrityError | DataError)


def write_if_possible(write: Callable[[], object]) -> bool:
    """Do a write that no answer depends on, such as the time of the last use. Returns False if it failed.

    It waits for no lock, and its failure is logged: whoever reads is served while nothing can be written.
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
    """Open a transaction in which no lock is waited for longer than `seconds`. Inside another, only a savepoint."""
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
    """Let SQLite wait for its one write lock only so long. BEGIN IMMEDIATE takes it, so it must be set before."""
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {before}")


def _log(error: Error) -> None:
    """Log one failure a minute: a read-only database fails one such write for each request."""
    global _logged_at
    if time.monotonic() - _logged_at >= _LOG_EVERY_SECONDS:
        _logged_at = time.monotonic()
        logger.warning("A note that no answer depends on could not be written.", exc_info=error)
