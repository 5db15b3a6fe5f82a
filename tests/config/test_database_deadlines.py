"""Every wait for PostgreSQL has a deadline: locks, statements, silent servers, dead and missing connections."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection

from config import readiness
from config.postgresql.base import DatabaseWrapper
from config.postgresql.connection import DeadlineConnection, wait_limit
from config.postgresql.options import add_deadlines
from config.readiness import Readiness
from tests.support.tcp_relay import Line, Relay

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server to wait for"),
]


@pytest.fixture
def relay() -> Iterator[Relay]:
    of = connection.settings_dict
    relay = Relay(of["HOST"] or "127.0.0.1", int(of["PORT"] or 5432))
    yield relay
    relay.close()


@contextmanager
def _a_database(
    port: int, *, pool_size: int = 4, statement_seconds: float = 1.0, lock_seconds: float = 0.3
) -> Iterator[DatabaseWrapper]:
    """Connect to a port with a separate pool and these limits."""
    options: dict[str, object] = {}
    add_deadlines(options, pool_size=pool_size, statement_seconds=statement_seconds, lock_seconds=lock_seconds)
    alias = f"behind-{port}"
    database = DatabaseWrapper(
        {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": str(port), "OPTIONS": options}, alias=alias
    )
    DatabaseWrapper._is_away = False
    try:
        yield database
    finally:
        database.close()
        database.close_pool()
        DatabaseWrapper._is_away = False


def _ask(database: DatabaseWrapper, sql: str = "SELECT 1") -> None:
    with database.cursor() as cursor:
        cursor.execute(sql)


def _seconds_to_fail(work, *arguments) -> float:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        work(*arguments)
    return time.monotonic() - began


def test_a_statement_that_takes_too_long_is_ended_by_the_server(relay):
    with _a_database(relay.port, statement_seconds=0.3, lock_seconds=0.1) as database:
        assert _seconds_to_fail(_ask, database, "SELECT pg_sleep(5)") < 1.5
        _ask(database)


def test_a_lock_is_waited_for_no_longer_than_lock_timeout(relay):
    with _a_database(relay.port) as holder, _a_database(relay.port) as waiter:
        _ask(holder, "SELECT pg_advisory_lock(4711)")

        assert 0.2 < _seconds_to_fail(_ask, waiter, "SELECT pg_advisory_lock(4711)") < 1.5


def test_a_statement_on_a_silent_server_fails_after_the_deadline(relay):
    with _a_database(relay.port, statement_seconds=0.5, lock_seconds=0.1) as database:
        _ask(database)
        relay.silence()

        assert 2.4 < _seconds_to_fail(_ask, database) < 4.0
        assert database.connection.closed


def test_a_silent_connection_is_found_out_before_it_is_used(relay):
    # With room for more, the pool may open a second connection meanwhile, which is too young to be checked.
    with _a_database(relay.port, pool_size=1) as database:
        _ask(database)
        idle = database.connection
        database.close()
        idle.heard_at -= 60
        relay.silence()
        relay.speak()

        began = time.monotonic()
        _ask(database)

        assert 0.9 < time.monotonic() - began < 2.0
        assert idle.closed


def test_one_silent_connection_costs_one_wait_for_all_that_rest_in_the_pool(relay):
    with _a_database(relay.port) as database:
        resting = _fill(database, 4)
        for each in resting:
            each.heard_at -= 60
        relay.silence()
        relay.speak()

        began = time.monotonic()
        _ask(database)

        assert time.monotonic() - began < 2.0
        assert all(each.closed for each in resting)


def _fill(database: DatabaseWrapper, count: int) -> list[DeadlineConnection]:
    """Open `count` connections and return them to the pool."""
    database.pool.open()
    taken = [database.pool.getconn(timeout=10) for _ in range(count)]
    for each in taken:
        database.pool.putconn(each)
    return taken


def test_connections_that_the_server_has_closed_cost_no_request(relay):
    with _a_database(relay.port) as database:
        resting = _fill(database, 4)
        pids = [each.info.backend_pid for each in resting]
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM unnest(%s) AS pid", [pids])
        for each in resting:
            assert select.select([each], [], [], 10)[0], "the server has not closed the connection"

        _ask(database)

        assert database.connection not in resting


def test_a_server_that_accepts_no_connection_fails_within_two_seconds(relay):
    relay.silence()
    with _a_database(relay.port) as database:
        assert _seconds_to_fail(_ask, database) < 2.0
        assert _seconds_to_fail(_ask, database) < 0.6, "callers fail fast after a full wait"


@pytest.mark.parametrize("outage", ["shut", "silence"])
def test_the_pool_recovers_within_five_seconds_after_an_outage(relay, outage):
    with _a_database(relay.port) as database:
        _ask(database)
        database.close()
        getattr(relay, outage)()
        until = time.monotonic() + 7.5
        while time.monotonic() < until:
            with suppress(OperationalError):
                _ask(database)
            database.close()

        relay.open()
        relay.speak()
        began = time.monotonic()
        while True:
            with suppress(OperationalError):
                _ask(database)
                break
            database.close()

        assert time.monotonic() - began < 5.0


def test_a_full_pool_is_waited_for_while_the_database_responds(relay):
    with _a_database(relay.port, pool_size=1) as database:
        has_it = threading.Event()

        def keep_busy() -> None:
            other = database.copy()
            until = time.monotonic() + 2.5
            while time.monotonic() < until:
                _ask(other, "SELECT pg_sleep(0.1)")
                has_it.set()
            other.close()

        with ThreadPoolExecutor(1) as pool:
            busy = pool.submit(keep_busy)
            assert has_it.wait(10)
            began = time.monotonic()
            with wait_limit(0.3), pytest.raises(OperationalError):
                _ask(database)
            found = _readiness_of(database)
            _ask(database)
            seconds = time.monotonic() - began
            busy.result(10)

    assert seconds > 1.6, "longer than for an unavailable database"
    assert found.code == ""
    assert found.checks["database"] == "busy"


def _readiness_of(database: DatabaseWrapper) -> Readiness:
    with patch.object(readiness, "connection", database):
        return readiness.check()


def test_all_waits_of_a_thread_can_be_limited_together(relay):
    with _a_database(relay.port) as database:
        _ask(database)
        relay.silence()

        with wait_limit(0.3):
            assert _seconds_to_fail(_ask, database) < 1.0


class _Pooler(Relay):
    """A relay that refuses startup options as PgBouncer does, and forwards other connections."""

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self._run(self._begin, caller)

    def _begin(self, caller: socket.socket) -> None:
        start = caller.recv(65_536)
        while start[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):  # May we encrypt?
            caller.sendall(b"N")
            start = caller.recv(65_536)
        if b"\0options\0" in start:
            text = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            caller.sendall(b"E" + (len(text) + 4).to_bytes(4, "big") + text)
            caller.close()
            return
        server = socket.create_connection(self._target)
        server.sendall(start)
        line = Line(caller, server)
        for source, sink in ((caller, server), (server, caller)):
            self._run(self._pass_on, line, source, sink)


def test_a_pooler_that_refuses_startup_options_gets_none_and_is_logged_once(caplog, monkeypatch):
    monkeypatch.setattr(DeadlineConnection, "_has_warned_of_pooler", False)
    of = connection.settings_dict
    pooler = _Pooler(of["HOST"] or "127.0.0.1", int(of["PORT"] or 5432))
    try:
        with _a_database(pooler.port) as database:
            _fill(database, 3)
            _ask(database)
    finally:
        pooler.close()

    warnings = [record for record in caplog.records if record.name == "frontdesk.database"]
    assert len(warnings) == 1
    assert "PgBouncer" in warnings[0].getMessage()
