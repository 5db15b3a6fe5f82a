"""At most two passwords are hashed at once, without a database connection; other callers wait or get 503."""

import base64
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.db import connection, connections

from authn import password_hashing
from authn.errors import LoginBusy
from authn.models import AuditEvent, LoginFamily, User
from authn.pages.password_links import password_link
from authn.password_hashing import HASHES_AT_ONCE, hashing_slot
from authn.principals import system
from tests.authn.servicestack.wire import LOGIN as SERVICESTACK_LOGIN
from tests.authn.servicestack.wire import NAME, Wire
from tests.conftest import PASSWORD
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of
from tests.support.concurrency import run_together
from tests.support.live_server import Desk, Reply, live_desk

LOGIN = "/sfp/api/auth/admin/login"
ORGS = "/sfp/api/auth/salesforce/orgs"
NEW = "another-good-passphrase"


@pytest.fixture(autouse=True)
def _argon2(settings):
    settings.PASSWORD_HASHERS = ["authn.password_hashing.BoundedArgon2PasswordHasher"]


@contextmanager
def all_slots_taken(monkeypatch) -> Iterator[None]:
    """Keep all hashing slots busy until the block ends; other threads wait only briefly."""
    monkeypatch.setattr(password_hashing, "PATIENCE_SECONDS", 0.05)
    free, taken = threading.Event(), threading.Barrier(HASHES_AT_ONCE + 1)

    def hash_for_long() -> None:
        with hashing_slot():
            taken.wait(timeout=10)
            free.wait(timeout=30)

    with ThreadPoolExecutor(HASHES_AT_ONCE) as pool:
        for _ in range(HASHES_AT_ONCE):
            pool.submit(hash_for_long)
        taken.wait(timeout=10)
        try:
            yield
        finally:
            free.set()


def test_at_most_two_passwords_are_hashed_at_once(monkeypatch):
    encode, now, most = Argon2PasswordHasher.encode, [0], [0]
    lock = threading.Lock()

    def counted(self, password, salt):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        try:
            return encode(self, password, salt)
        finally:
            with lock:
                now[0] -= 1

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted)

    run_together([partial(make_password, PASSWORD)] * 6)

    assert most == [HASHES_AT_ONCE]


def test_a_password_is_not_hashed_without_a_free_slot(monkeypatch):
    with all_slots_taken(monkeypatch), pytest.raises(LoginBusy):
        make_password(PASSWORD)

    assert check_password(PASSWORD, make_password(PASSWORD))


def test_a_password_is_refused_at_once_when_half_of_the_threads_wait(monkeypatch, settings):
    settings.WEB_THREADS = 2
    began = time.monotonic()
    with all_slots_taken(monkeypatch):
        monkeypatch.setattr(password_hashing, "PATIENCE_SECONDS", 60.0)
        monkeypatch.setattr(password_hashing, "_waiting", 1)

        with pytest.raises(LoginBusy):
            make_password(PASSWORD)

    assert time.monotonic() - began < 30


def test_a_thread_that_has_a_place_needs_no_second_one(monkeypatch):
    with hashing_slot(), hashing_slot():
        assert check_password(PASSWORD, make_password(PASSWORD))


def test_hashes_are_those_of_djangos_argon2_hasher():
    hashed = make_password(PASSWORD)

    assert hashed.startswith("argon2$argon2id$")
    assert Argon2PasswordHasher().verify(PASSWORD, hashed)
    assert check_password(PASSWORD, Argon2PasswordHasher().encode(PASSWORD, "s" * 22))


# --- Endpoints ---------------------------------------------------------------------------------------


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_no_endpoint_holds_a_database_connection_while_it_hashes_a_password(a_person, monkeypatch, subtests):
    mia = a_person("mia@acme.example")
    a_person(NAME)
    link = password_link(a_person("ines@acme.example"), by=system("tests")).removeprefix("http://localhost:8000")
    held: list[bool] = []

    def noting(original):
        def noted(*arguments):
            held.append(connection.connection is not None)
            return original(*arguments)

        return noted

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, noting(getattr(Argon2PasswordHasher, name)))
    for what, send in _endpoints(mia, link).items():
        with subtests.test(what):
            held.clear()

            send()

            assert held
            assert not any(held)
    connections.close_all()


@pytest.mark.django_db
def test_every_busy_endpoint_sends_retry_after_and_changes_nothing(a_person, monkeypatch, subtests):
    mia = a_person("mia@acme.example")
    a_person(NAME)
    link = password_link(a_person("ines@acme.example"), by=system("tests")).removeprefix("http://localhost:8000")
    endpoints = _endpoints(mia, link)
    before = (AuditEvent.objects.count(), LoginFamily.objects.count(), User.objects.get(pk=mia.pk).password)

    with all_slots_taken(monkeypatch):
        for what, send in endpoints.items():
            with subtests.test(what):
                response = send()

                assert getattr(response, "status_code", getattr(response, "status", 0)) == 503
                assert response.headers["Retry-After"] == "5"
                assert (
                    AuditEvent.objects.count(),
                    LoginFamily.objects.count(),
                    User.objects.get(pk=mia.pk).password,
                ) == before


@pytest.mark.django_db
def test_each_endpoint_reports_busy_in_its_own_format(a_person, monkeypatch):
    a_person(NAME)
    with all_slots_taken(monkeypatch):
        rest = Caller().post(LOGIN, {"email": NAME, "password": PASSWORD}).json()
        page = text_of(Visitor().post("/login", {"email": NAME, "password": PASSWORD}))
        servicestack = Wire().post("/auth/credentials", SERVICESTACK_LOGIN).error()

    assert (rest["code"], rest["success"]) == ("LOGIN_BUSY", False)
    assert "Too many log-ins at this moment" in page
    assert "Salesforce" not in page.partition("<main")[2]
    assert servicestack["errorCode"] == "ServiceUnavailable"


def _endpoints(person, link):
    basic = {"Authorization": "Basic " + base64.b64encode(f"{NAME}:wrong".encode()).decode()}
    at_the_password = Visitor().sign_in(person)
    return {
        "the API": lambda: Caller().post(LOGIN, {"email": person.email, "password": "wrong"}),
        "the page": lambda: Visitor().post("/login", {"email": person.email, "password": "wrong"}),
        "credentials": lambda: Wire().post("/auth/credentials", SERVICESTACK_LOGIN | {"Password": "wrong"}),
        "basic": lambda: Wire().get("/auth", **basic),
        "an unknown name": lambda: Caller().post(LOGIN, {"email": "x@acme.example", "password": "wrong"}),
        "a change": lambda: at_the_password.post("/password", {"current": PASSWORD, "new": NEW, "again": NEW}),
        "a link": lambda: Visitor().post(link, {"new": NEW, "again": NEW}),
    }


# --- A real desk -------------------------------------------------------------------------------------


def _peak_memory(desk: Desk) -> int:
    """Return the most memory that the web process ever had, in MB."""
    master = desk.running[0].pid
    worker = Path(f"/proc/{master}/task/{master}/children").read_text().split()[0]
    lines = Path(f"/proc/{worker}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


def _try(desk: Desk, number: int) -> Reply:
    body = {"email": f"u{number}@acme.example", "password": "wrong"}
    return desk.send("POST", LOGIN, body, bearer="", headers={"X-Forwarded-For": f"10.{number}.0.1"})


@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.alone
def test_sixty_concurrent_log_ins_do_not_exhaust_memory_or_delay_other_clients(tmp_path):
    with live_desk(tmp_path, "http://127.0.0.1:9", TRUSTED_PROXY_COUNT="1") as desk:
        for _ in range(4):
            _try(desk, 0)
        before, others, over = _peak_memory(desk), [], threading.Event()

        def go_on_asking() -> None:
            while not over.is_set():
                others.append(desk.send("GET", f"{ORGS}?limit=5", bearer=desk.application))

        with ThreadPoolExecutor(64) as pool:
            clients = [pool.submit(go_on_asking) for _ in range(4)]
            tries = list(pool.map(partial(_try, desk), range(1, 61)))
            over.set()
            for client in clients:
                client.result(timeout=60)
        grown = _peak_memory(desk) - before

    responses = Counter((reply.status, reply.json()["code"]) for reply in tries)
    judged, busy = responses.pop((401, "INVALID_CREDENTIALS")), responses.pop((503, "LOGIN_BUSY"), 0)
    assert (judged + busy, responses) == (60, Counter())
    assert judged >= 2 * HASHES_AT_ONCE
    assert Counter(reply.status for reply in others) == {200: len(others)}
    assert len(others) >= 8
    assert grown < 300
