"""Faults of the audit trail, as context managers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import cast

from django.db import connection

from config.postgresql.base import DatabaseWrapper

_TRIGGER = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON authn_auditevent BEGIN SELECT RAISE(ABORT, 'no'); END"],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON authn_auditevent FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}
_NO_TRIGGER = {"sqlite": ["DROP TRIGGER refuse"], "postgresql": ["DROP FUNCTION refuse() CASCADE"]}
_SHORT_LOCK_TIMEOUT = "-c lock_timeout=60ms"


@contextmanager
def rows_refused() -> Iterator[None]:
    """A trigger refuses each row."""
    _run(_TRIGGER[connection.vendor])
    try:
        yield
    finally:
        _run(_NO_TRIGGER[connection.vendor])


@contextmanager
def table_gone() -> Iterator[None]:
    """The table has another name."""
    _run(["ALTER TABLE authn_auditevent RENAME TO elsewhere"])
    try:
        yield
    finally:
        _run(["ALTER TABLE elsewhere RENAME TO authn_auditevent"])


@contextmanager
def table_locked() -> Iterator[None]:
    """Another transaction locks the table (PostgreSQL). The lock timeout is 60 ms to keep tests fast."""
    with _held():
        _reconnect(_SHORT_LOCK_TIMEOUT)
        try:
            yield
        finally:
            _reconnect("")


def ways() -> list[Callable[[], AbstractContextManager[None]]]:
    """Return those that the database of this run has."""
    return [rows_refused, table_gone, *([table_locked] if connection.vendor == "postgresql" else [])]


def _run(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _reconnect(options: str) -> None:
    connection.close()
    cast(DatabaseWrapper, connection).close_pool()
    connection.settings_dict["OPTIONS"]["options"] = options


@contextmanager
def _held() -> Iterator[None]:
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        from django.db import transaction

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE authn_auditevent IN ACCESS EXCLUSIVE MODE")
            locked.set()
            release.wait(60)

    thread = threading.Thread(target=_with_own_connection(hold))
    thread.start()
    try:
        assert locked.wait(10)
        yield
    finally:
        release.set()
        thread.join(10)


def _with_own_connection(work: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run
