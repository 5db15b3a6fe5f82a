"""Checks everything that a process needs to issue credentials, within 2 seconds even if a dependency hangs."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from psycopg_pool import PoolTimeout

from authn import audit
from authn.database.failures import lock_wait
from authn.errors import AuditUnavailable
from authn.loops import loops
from config.framework_errors import DATABASE_UNAVAILABLE, MIGRATIONS_MISSING
from config.postgresql.connection import DeadlineConnection, wait_limit
from orgs.credentials.errors import DeskSealed, SpoolUnavailable
from orgs.credentials.hash_key import require_unsealed
from orgs.credentials.spool import SpoolFull, check_writable

_DATABASE_SECONDS = 1.2
_LOCK_SECONDS = 0.4
_DISK_SECONDS = 0.5
_READ_ONLY = "25006"  # SQLSTATE read_only_sql_transaction


@dataclass(slots=True)
class Readiness:
    """The results of all checks. `code` and `reason` are those of the first failed check, "" if none failed."""

    checks: dict[str, object] = field(default_factory=dict)
    code: str = ""
    reason: str = ""

    def fail(self, name: str, state: str, code: str, reason: str) -> None:
        """Record a failed check."""
        self.checks[name] = state
        if not self.code:
            self.code, self.reason = code, reason


def check() -> Readiness:
    """Run all checks."""
    readiness = Readiness()
    with wait_limit(_DATABASE_SECONDS):
        _check_database(readiness)
    _check_spool(readiness)
    _check_loops(readiness)
    return readiness


def _check_database(readiness: Readiness) -> None:
    readiness.checks["database"] = "ok"
    try:
        if _are_migrations_missing():
            readiness.fail("migrations", "missing", MIGRATIONS_MISSING.code, "Run manage.py migrate.")
            return
        readiness.checks["migrations"] = "ok"
        _check_key(readiness)
    except Error as error:
        # Busy: the pool is exhausted while the database responds. Other processes share it, so this one stays ready.
        is_busy = isinstance(error.__cause__, PoolTimeout) and DeadlineConnection.has_been_heard()
        readiness.checks["database"] = "busy"
        if not is_busy:
            readiness.fail("database", "unavailable", DATABASE_UNAVAILABLE.code, "The database does not respond.")
        return
    _check_audit(readiness)


_all_applied = False


def _are_migrations_missing() -> bool:
    """Return True if migrations are missing. Once all are applied, only the connection is checked."""
    global _all_applied
    if _all_applied:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return False
    executor = MigrationExecutor(connection)
    missing = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _all_applied = not missing
    return missing


def _check_key(readiness: Readiness) -> None:
    readiness.checks["key"] = "ok"
    try:
        require_unsealed()
    except DeskSealed as error:
        readiness.fail("key", "sealed", error.code, str(error))


def _check_audit(readiness: Readiness) -> None:
    """Write an audit row and roll it back. Without the audit, lists are served but no credentials."""
    readiness.checks["audit"] = "ok"
    try:
        with lock_wait(_LOCK_SECONDS):
            audit.check_writable()
    except (AuditUnavailable, Error) as error:
        if _is_read_only(error):
            reason = "The database is read-only: lists are served, but no credentials."
            readiness.fail("database", "read-only", DATABASE_UNAVAILABLE.code, reason)
        readiness.fail("audit", "unavailable", AuditUnavailable.code, "The audit trail cannot be written.")


def _is_read_only(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "sqlstate", "") == _READ_ONLY:
            return True
        if str(getattr(cause, "sqlite_errorname", "")).startswith("SQLITE_READONLY"):
            return True
        cause = cause.__cause__
    return False


def _check_spool(readiness: Readiness) -> None:
    readiness.checks["spool"] = "ok"
    if not _ends_in_time(check_writable):
        readiness.fail("spool", "unavailable", SpoolUnavailable.code, "SPOOL_DIR is full or not writable.")


_on_disk = threading.Lock()


def _ends_in_time(work: Callable[[], None]) -> bool:
    """Return True if disk access succeeds in time. A hanging disk blocks one thread, not one per probe."""
    outcome: list[bool] = []

    def run() -> None:
        with _on_disk, suppress(SpoolFull, OSError):
            work()
            outcome.append(True)

    if _on_disk.locked():
        return False
    thread = threading.Thread(target=run, name="spool-check", daemon=True)
    thread.start()
    thread.join(_DISK_SECONDS)
    return bool(outcome)


def _check_loops(readiness: Readiness) -> None:
    readiness.checks["loops"] = {loop.name: round(loop.age()) for loop in loops()}
    if stuck := [loop.name for loop in loops() if loop.is_stuck()]:
        readiness.fail("loop", "stuck", "LOOP_STUCK", f"A background loop has stopped: {', '.join(stuck)}.")
