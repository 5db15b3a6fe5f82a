"""How failed log-ins are counted: exactly, across processes, and without storing what was sent."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections

from authn import lockout, login, password_hashing
from authn.database.connections import release_database
from authn.models import AddressTries, AuditEvent, LoginAttempts, User
from tests.authn.counts import failures, let_pass
from tests.authn.servicestack.wire import Wire
from tests.conftest import PASSWORD
from tests.support.api_client import ApiResponse, Caller
from tests.support.browser_client import Visitor
from tests.support.concurrency import run_together
from tests.support.live_server import Desk, Reply, live_desk

pytestmark = pytest.mark.django_db
LOGIN = "/sfp/api/auth/admin/login"
CALLBACK = "/sfp/api/auth/callback"
EMAIL = "mia@acme.example"


@pytest.fixture
def mia(a_person, settings) -> User:
    settings.TRUSTED_PROXY_COUNT = 1
    return a_person(EMAIL)


def _try(password: str = "wrong", address: str = "203.0.113.7", email: str = EMAIL) -> ApiResponse:
    body = {"email": email, "password": password}
    return Caller().send("POST", LOGIN, body, headers={"X-Forwarded-For": address})


def _statuses(*tries: ApiResponse) -> list[int]:
    return [response.status_code for response in tries]


# --- Stored data ------------------------------------------------------------------------------------


@pytest.mark.database
def test_nothing_sent_in_a_refused_log_in_is_stored(mia):
    visitor, secret = Visitor().sign_in(mia), "canary-of-a-password"
    for _ in range(2):
        visitor.post("/password", {"current": secret, "new": f"{secret}-new", "again": f"{secret}-new"})
    visitor.post("/password", {"current": PASSWORD, "new": f"{secret}-a", "again": f"{secret}-b"})
    Visitor().post(f"/login?next=/{secret}", {"email": secret, "password": secret, "next": f"/{secret}"})
    Caller().send("POST", f"{LOGIN}?x={secret}", {"email": secret, "password": secret}, headers={"User-Agent": secret})
    Wire().post(f"/auth/credentials?Meta={secret}", {"UserName": EMAIL, "Password": secret, "State": secret})

    stored = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            stored += [f"{table}: {value}" for row in cursor for value in row]
    assert LoginAttempts.objects.exists()
    assert not [text for text in stored if secret in text or PASSWORD in text]
    assert not [text for text in stored if text.startswith("authn_loginattempts") and EMAIL in text]


@pytest.mark.database
def test_the_sweep_deletes_expired_counts(mia):
    _try()
    call_command("sweep")
    assert LoginAttempts.objects.count() == 3

    let_pass(timedelta(minutes=31))
    call_command("sweep")

    assert not LoginAttempts.objects.exists()
    assert not AddressTries.objects.exists()


# --- Exact counts -----------------------------------------------------------------------------


@pytest.mark.database
def test_an_attempt_that_failed_in_the_database_is_not_counted(mia, monkeypatch):
    def without_database(*_, **__):
        raise OperationalError

    monkeypatch.setattr(login, "authenticate", without_database)
    assert _try().status_code == 503

    assert failures("203.0.113.0/24") == failures("") == [0]
    assert not AuditEvent.objects.filter(action="person.login").exists()


@pytest.mark.database
def test_an_attempt_of_a_dead_process_counts_after_30_seconds(mia, monkeypatch):
    monkeypatch.setattr(lockout, "_MAX_WAIT_SECONDS", 0.1)
    for _ in range(5):
        _try()
    LoginAttempts.objects.update(undecided=1)

    undecided = _try(PASSWORD)
    let_pass(timedelta(seconds=31))
    counted = _try(PASSWORD)

    assert (undecided.status_code, undecided.json()["code"]) == (503, "LOGIN_BUSY")
    assert (counted.status_code, counted.json()["code"]) == (429, "LOGIN_LOCKED")


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_log_ins_waiting_for_a_dead_process_do_not_block_others(mia, a_person, settings, monkeypatch):
    settings.PASSWORD_HASHERS = ["authn.password_hashing.BoundedArgon2PasswordHasher"]
    monkeypatch.setattr(password_hashing, "PATIENCE_SECONDS", 0.5)
    a_person("max@acme.example")
    for _ in range(5):
        _try()
    LoginAttempts.objects.update(undecided=1)

    with _waiting_tries(password_hashing.HASHES_AT_ONCE, monkeypatch) as waiting:
        other = _try(PASSWORD, "192.0.2.1", "max@acme.example")
        LoginAttempts.objects.all().delete()

    assert other.status_code == 200
    assert [response.result().status_code for response in waiting] == [401, 401]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_log_in_is_refused_while_a_quarter_of_the_threads_wait(mia, settings, monkeypatch):
    settings.WEB_THREADS = 8
    for _ in range(5):
        _try()
    LoginAttempts.objects.update(undecided=1)

    with _waiting_tries(2, monkeypatch):
        began = time.monotonic()
        refused = _try(PASSWORD)
        LoginAttempts.objects.all().delete()

    assert (refused.status_code, refused.json()["code"]) == (503, "LOGIN_BUSY")
    assert time.monotonic() - began < 8


@contextmanager
def _waiting_tries(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Future[ApiResponse]]]:
    """Start log-ins that wait for undecided attempts until the block ends."""
    all_wait, waiting = Barrier(number + 1), threading.local()

    def noting() -> None:
        release_database()
        if not getattr(waiting, "noted", False):
            waiting.noted = True
            all_wait.wait(timeout=10)

    def make() -> ApiResponse:
        try:
            return _try()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(number) as pool:
        monkeypatch.setattr(lockout, "release_database", noting)
        tries = [pool.submit(make) for _ in range(number)]
        all_wait.wait(timeout=10)
        yield tries


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_concurrent_correct_passwords_are_all_accepted(mia):
    assert _statuses(*run_together([partial(_try, PASSWORD)] * 12)) == [200] * 12
    assert failures("203.0.113.0/24") == failures("") == [0]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_correct_password_does_not_admit_concurrent_wrong_ones(mia):
    responses = run_together([*[partial(_try)] * 11, partial(_try, PASSWORD)])

    assert Counter(_statuses(*responses[:11]))[401] <= 9, "five before the correct one, and four after it"


def _at_once(desk: Desk, calls: list[Callable[[int], Reply]]) -> list[Reply]:
    """Make all calls at once, each to the next process in turn."""
    barrier = Barrier(len(calls))

    def make(number: int) -> Reply:
        barrier.wait(timeout=60)
        return calls[number](desk.ports[number % len(desk.ports)])

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, range(len(calls))))


@pytest.fixture(scope="module")
def desk(django_db_setup, django_db_blocker, tmp_path_factory):
    """Four processes with the production hasher."""
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("desk")
        with live_desk(folder, "http://127.0.0.1:9", processes=4, TRUSTED_PROXY_COUNT="1") as desk:
            yield desk


@pytest.mark.database
def test_exactly_five_concurrent_wrong_passwords_are_checked_across_processes(desk):
    body = {"email": EMAIL, "password": "wrong"}

    def call(number: int, port: int) -> Reply:
        sent = {"X-Forwarded-For": f"203.0.113.{number}"}
        return desk.send("POST", LOGIN, body, bearer="", port=port, headers=sent)

    replies = _at_once(desk, [partial(call, number) for number in range(32)])

    assert Counter((reply.status, reply.json()["code"]) for reply in replies) == {
        (401, "INVALID_CREDENTIALS"): 5,
        (429, "LOGIN_LOCKED"): 27,
    }


@pytest.mark.database
def test_exactly_sixty_concurrent_attempts_of_one_64_are_checked_across_processes(desk):
    def call(number: int, port: int) -> Reply:
        sent = {"X-Forwarded-For": f"2001:db8:0:1::{number:x}"}
        return desk.send("POST", CALLBACK, {"access_token": "x"}, bearer="", port=port, headers=sent)

    replies = _at_once(desk, [partial(call, number) for number in range(1, 101)])

    assert Counter(reply.status for reply in replies) == {401: 60, 429: 40}
    assert all(0 < int(reply.headers["Retry-After"]) <= 60 for reply in replies if reply.status == 429)
