"""The threads of a process write to a SQLite database one after the other, in the order of their arrival."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest
from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection, connections, transaction

from authn.database.failures import lock_wait
from authn.models import AuditEvent
from config.private_sqlite3.writer_queue import WriterQueue, queue_of
from tests.support.concurrency import wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has row locks of its own"),
]


def _record(name: str) -> None:
    AuditEvent.objects.create(action="tests", actor_name=name)


def _is_longer(queue: WriterQueue, than: int) -> bool:
    return queue.waiting > than


def _in_transaction(name: str) -> None:
    with transaction.atomic():
        _record(name)


@pytest.mark.parametrize("write", [_in_transaction, _record], ids=["transactions", "single statements"])
def test_writes_are_made_in_the_order_of_their_arrival(write):
    queue = queue_of(str(settings.DATABASES["default"]["NAME"]))
    names = [str(number) for number in range(12)]

    def run(name: str) -> None:
        try:
            write(name)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(names)) as pool, transaction.atomic():
        for already_waiting, name in enumerate(names):
            pool.submit(run, name)
            wait_until(partial(_is_longer, queue, already_waiting))

    assert list(AuditEvent.objects.order_by("pk").values_list("actor_name", flat=True)) == names
    assert queue.waiting == 0


def test_a_write_waits_no_longer_than_its_time_out():
    ended = threading.Event()
    errors: list[Exception] = []

    def write() -> None:
        try:
            with lock_wait(0.05):
                _record("late")
        except OperationalError as error:
            errors.append(error)
        finally:
            connections.close_all()
            ended.set()

    with transaction.atomic():
        threading.Thread(target=write).start()
        assert ended.wait(10), "it waits for its turn without end"

    assert [str(error) for error in errors] == ["database is locked"]
    _in_transaction("next")
    assert AuditEvent.objects.get().actor_name == "next"


def test_a_failed_transaction_lets_the_next_thread_write():
    with suppress(ZeroDivisionError), transaction.atomic():
        _record("undone")
        raise ZeroDivisionError
    connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(_in_transaction, "next").result(timeout=10)
        pool.submit(connections.close_all).result(timeout=10)

    assert AuditEvent.objects.get().actor_name == "next"


def test_a_thread_that_gave_up_is_passed_over():
    queue = WriterQueue()
    assert queue.acquire(0)

    assert not queue.acquire(0)
    queue.release()

    assert queue.acquire(0)


def test_a_wait_for_the_turn_counts_toward_the_time_out_of_the_write():
    usual = connection.cursor().execute("PRAGMA busy_timeout").fetchone()[0]
    queue = queue_of(str(settings.DATABASES["default"]["NAME"]))
    statements: list[str] = []

    def write() -> None:
        connection.ensure_connection()
        connection.connection.set_trace_callback(statements.append)
        _in_transaction("first")
        _in_transaction("second")

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            written = pool.submit(write)
            wait_until(partial(_is_longer, queue, 0))
            time.sleep(0.01)
        written.result(timeout=10)
        pool.submit(connections.close_all).result(timeout=10)

    limits = [text.partition("= ")[2] for text in statements if text.startswith("PRAGMA busy_timeout = ")]
    shortened, restored = map(int, limits)
    assert shortened < usual
    assert restored == usual
    assert [text for text in statements if "busy_timeout =" in text or text.startswith("BEGIN")] == [
        f"PRAGMA busy_timeout = {shortened}",
        "BEGIN IMMEDIATE",
        f"PRAGMA busy_timeout = {usual}",
        "BEGIN IMMEDIATE",
    ]


def test_a_wait_that_a_signal_ends_leaves_no_turn_behind():
    queue = WriterQueue()
    assert queue.acquire(0)
    main = threading.get_ident()

    def interrupt() -> None:
        wait_until(partial(_is_longer, queue, 0))
        signal.pthread_kill(main, signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        interrupted = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            queue.acquire(30)
        interrupted.result(timeout=10)
    queue.release()

    assert queue.acquire(0)


def test_a_write_on_a_closed_connection_is_an_error_of_django():
    connection.ensure_connection()
    connection.connection.close()
    try:
        with pytest.raises(ProgrammingError), transaction.atomic():
            _record("never")
    finally:
        connection.close()
