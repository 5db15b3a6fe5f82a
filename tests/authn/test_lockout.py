"""Wrong passwords: counted exactly, per name and block of addresses, without keeping a word of a request."""

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
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.test import Client

from authn import lockout, login, password_hashing
from authn.database.connections import release_database
from authn.models import AddressTries, AuditEvent, LoginAttempts, User
from authn.web.client_address import address_block
from tests.authn.counts import failures, let_pass
from tests.authn.servicestack.wire import Wire
from tests.conftest import PASSWORD
from tests.support.api_client import Answer, Caller
from tests.support.browser_client import Visitor, text_of
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


def _try(password: str = "wrong", address: str = "203.0.113.7", email: str = EMAIL) -> Answer:
    body = {"email": email, "password": password}
    return Caller().send("POST", LOGIN, body, headers={"X-Forwarded-For": address})


def _statuses(*tries: Answer) -> list[int]:
    return [answer.status_code for answer in tries]


# --- Who is locked out -------------------------------------------------------------------------------


@pytest.mark.database
def test_a_stranger_cannot_lock_a_person_out_from_elsewhere(mia):
    for _ in range(6):
        _try(address="198.51.100.66")

    assert _statuses(_try(PASSWORD, "198.51.100.67"), _try(PASSWORD, "203.0.113.7")) == [429, 200]


@pytest.mark.database
@pytest.mark.parametrize(
    ("one", "other", "locked"),
    [
        ("203.0.113.7", "203.0.113.250", True),
        ("203.0.113.7", "203.0.114.7", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.8", True),
    ],
)
def test_a_name_is_locked_for_a_24_or_a_64(one, other, locked, mia):
    for _ in range(5):
        _try(address=one)

    assert _try(PASSWORD, other).status_code == (429 if locked else 200)


@pytest.mark.database
def test_fifty_wrong_passwords_from_everywhere_lock_a_name_for_everybody(mia):
    for number in range(50):
        assert _try(address=f"10.{number}.0.1").status_code == 401

    locked = _try(PASSWORD, "192.0.2.1")

    assert (locked.status_code, locked.json()["code"]) == (429, "LOGIN_LOCKED")
    assert 0 < int(locked.headers["Retry-After"]) <= 15 * 60 + 1
    let_pass(timedelta(minutes=15))
    assert _try(PASSWORD, "192.0.2.1").status_code == 200


@pytest.mark.database
@pytest.mark.parametrize(
    ("strangers", "neighbour", "owner"),
    [
        ([f"2001:db8:1:{number:x}::1" for number in range(10)], "2001:db8:1:ff::1", "2001:db8:2::1"),
        ([f"203.0.{number}.7" for number in range(10)], "203.0.200.7", "203.1.0.7"),
    ],
    ids=["a /48", "a /16"],
)
def test_one_network_cannot_lock_an_owner_out_everywhere(strangers, neighbour, owner, mia):
    statuses = Counter(_try(address=address).status_code for _ in range(5) for address in strangers)

    assert statuses == {401: 15, 429: 35}
    assert failures("") == [15]
    assert _statuses(_try(PASSWORD, neighbour), _try(PASSWORD, owner)) == [429, 200]


@pytest.mark.database
def test_an_operator_unlocks_a_person_everywhere(mia):
    for number in range(50):
        _try(address=f"10.{number}.0.1")
    assert _try(PASSWORD).status_code == 429

    call_command("unlock", "Mia@Acme.example")

    assert not LoginAttempts.objects.exists()
    assert _try(PASSWORD).status_code == 200
    event = AuditEvent.objects.get(action="person.changed")
    assert (event.actor_name, event.details) == ("unlock", {"email": EMAIL, "lock": "lifted"})


@pytest.mark.database
def test_a_name_that_is_no_persons_is_not_unlocked(db):
    with pytest.raises(CommandError, match="No user has this e-mail"):
        call_command("unlock", "nemo@acme.example")

    assert not AuditEvent.objects.exists()


@pytest.mark.database
def test_a_right_password_forgets_the_failures_of_its_own_block_alone(mia):
    for number in range(3):
        _try(address="203.0.113.7")
        _try(address=f"10.0.{number}.1")

    assert _try(PASSWORD, "203.0.113.7").status_code == 200

    assert failures("203.0.113.0/24") == [0]
    assert failures("10.0.1.0/24") == [1]
    assert failures("") == [3]


@pytest.mark.database
def test_the_fourth_wrong_password_is_forgotten_after_a_quarter_of_an_hour(mia):
    for _ in range(4):
        _try()
    let_pass(timedelta(minutes=15))

    assert _statuses(_try(), _try(PASSWORD)) == [401, 200]


@pytest.mark.database
def test_a_lock_is_not_prolonged_by_tries_while_it_stands(mia):
    for _ in range(5):
        _try()
    let_pass(timedelta(minutes=14))
    _try()

    assert int(_try(PASSWORD).headers["Retry-After"]) <= 61


@pytest.mark.database
def test_without_an_address_a_name_is_locked_all_the_same(a_person):
    a_person(EMAIL)
    body = {"email": EMAIL, "password": "wrong"}

    statuses = [Client(REMOTE_ADDR="").post(LOGIN, body, "application/json").status_code for _ in range(6)]

    assert statuses == [401] * 5 + [429]


@pytest.mark.database
def test_the_present_password_is_guessed_under_the_same_lock(mia):
    visitor = Visitor().sign_in(mia)
    for _ in range(5):
        visitor.post("/password", {"current": "wrong", "new": "x" * 20, "again": "x" * 20})

    assert "locked for 15 minutes" in text_of(Visitor().post("/login", {"email": EMAIL, "password": PASSWORD}))
    assert _try(PASSWORD, "127.0.0.1").status_code == 429
    assert Wire().post("/auth/credentials", {"UserName": EMAIL, "Password": PASSWORD}).status == 429


# --- What is kept ------------------------------------------------------------------------------------


@pytest.mark.database
def test_no_word_of_a_refused_log_in_is_kept_in_any_table(mia):
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
def test_counts_that_bound_nothing_are_swept_away(mia):
    _try()
    call_command("sweep")
    assert LoginAttempts.objects.count() == 3

    let_pass(timedelta(minutes=31))
    call_command("sweep")

    assert not LoginAttempts.objects.exists()
    assert not AddressTries.objects.exists()


# --- How exactly it counts -----------------------------------------------------------------------------


@pytest.mark.database
def test_a_try_that_could_not_be_judged_is_given_back(mia, monkeypatch):
    def without_database(*_, **__):
        raise OperationalError

    monkeypatch.setattr(login, "authenticate", without_database)
    assert _try().status_code == 503

    assert failures("203.0.113.0/24") == failures("") == [0]
    assert not AuditEvent.objects.filter(action="person.login").exists()


@pytest.mark.database
def test_a_try_of_a_process_that_died_counts_after_half_a_minute(mia, monkeypatch):
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
def test_log_ins_that_wait_for_tries_of_a_dead_process_stop_no_other_log_in(mia, a_person, settings, monkeypatch):
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
    assert [answer.result().status_code for answer in waiting] == [401, 401]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_when_a_quarter_of_the_threads_wait_for_other_tries_the_next_one_is_refused_at_once(mia, settings, monkeypatch):
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
def _waiting_tries(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Future[Answer]]]:
    """Have so many log-ins wait for tries that are not judged, until the block ends."""
    all_wait, waiting = Barrier(number + 1), threading.local()

    def noting() -> None:
        release_database()
        if not getattr(waiting, "noted", False):
            waiting.noted = True
            all_wait.wait(timeout=10)

    def make() -> Answer:
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
def test_right_passwords_at_once_are_all_let_in(mia):
    assert _statuses(*run_together([partial(_try, PASSWORD)] * 12)) == [200] * 12
    assert failures("203.0.113.0/24") == failures("") == [0]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_right_password_does_not_free_the_wrong_ones_beside_it(mia):
    answers = run_together([*[partial(_try)] * 11, partial(_try, PASSWORD)])

    assert Counter(_statuses(*answers[:11]))[401] <= 9, "five before the right one, and four in its place"


def _at_once(desk: Desk, calls: list[Callable[[int], Reply]]) -> list[Reply]:
    """Make all calls at one moment, each at the next process in turn."""
    barrier = Barrier(len(calls))

    def make(number: int) -> Reply:
        barrier.wait(timeout=60)
        return calls[number](desk.ports[number % len(desk.ports)])

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, range(len(calls))))


@pytest.fixture(scope="module")
def desk(django_db_setup, django_db_blocker, tmp_path_factory):
    """Four processes with the hasher of a real desk."""
    with django_db_blocker.unblock():
        folder = tmp_path_factory.mktemp("desk")
        with live_desk(folder, "http://127.0.0.1:9", processes=4, TRUSTED_PROXY_COUNT="1") as desk:
            yield desk


@pytest.mark.database
def test_of_wrong_passwords_at_once_in_many_processes_exactly_five_are_judged(desk):
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
def test_of_tries_of_one_64_at_once_in_many_processes_exactly_sixty_are_let_through(desk):
    def call(number: int, port: int) -> Reply:
        sent = {"X-Forwarded-For": f"2001:db8:0:1::{number:x}"}
        return desk.send("POST", CALLBACK, {"access_token": "x"}, bearer="", port=port, headers=sent)

    replies = _at_once(desk, [partial(call, number) for number in range(1, 101)])

    assert Counter(reply.status for reply in replies) == {401: 60, 429: 40}
    assert all(0 < int(reply.headers["Retry-After"]) <= 60 for reply in replies if reply.status == 429)


@pytest.mark.parametrize(
    ("address", "prefix", "block"),
    [
        ("203.0.113.7", 32, "203.0.113.7/32"),
        ("203.0.113.7", 24, "203.0.113.0/24"),
        ("::ffff:203.0.113.7", 32, "203.0.113.7/32"),
        ("2001:db8:1:2:3:4:5:6", 32, "2001:db8:1:2::/64"),
        ("::1", 24, "::/64"),
        ("", 24, "unknown"),
    ],
)
def test_a_client_counts_by_its_network(address, prefix, block):
    assert address_block(address, ipv4_prefix=prefix) == block
