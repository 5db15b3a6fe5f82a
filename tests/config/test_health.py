"""/livez and /readyz: statuses, bodies, access and cost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import Error, InternalError, connection
from django.http import HttpResponse
from django.test import Client

from authn import audit, loops
from authn.database.fail_fast import FailFastGate, GateClosed
from authn.loops import Loop
from config import health, readiness
from config.health import HealthMiddleware
from orgs.credentials.hash_key import token_hash_key
from tests.support.api_client import Caller
from tests.support.audit_faults import rows_refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def own_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the loops that the test starts."""
    monkeypatch.setattr(loops, "_loops", {})


# --- /livez ------------------------------------------------------------------------------------------


def test_livez_makes_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Caller().get("/livez").json() == {"status": "alive"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_process_whose_loop_has_ended_is_not_alive(own_loops):
    def end() -> None:
        raise SystemExit

    loop = Loop("test-ended", 0.01, end)
    loop.start()
    assert loop._thread is not None
    loop._thread.join(10)

    response = Caller().get("/livez")

    assert (response.status_code, response.json()["status"]) == (503, "stuck")
    assert "test-ended" in response.json()["reason"]


def _wait(seconds: float, monkeypatch) -> None:
    """Put the clock that loops go by forward, in place of waiting."""
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + seconds)


def test_a_process_whose_loop_hangs_is_not_alive(own_loops, monkeypatch):
    gate, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        gate.wait(30)

    loop = Loop("test-hanging", 0.01, hang)
    loop.start()
    assert begun.wait(10)
    assert Caller().get("/livez").status_code == 200
    _wait(121, monkeypatch)

    assert Caller().get("/livez").status_code == 503
    gate.set()


def test_a_process_whose_loop_only_fails_is_alive_and_ready_and_shows_its_age(own_loops, monkeypatch):
    failed_twice = threading.Event()
    rounds: list[int] = []

    def fail() -> None:
        rounds.append(1)
        if len(rounds) > 2:
            failed_twice.set()
        raise InternalError("read-only")

    loop = Loop("test-failing", 0.01, fail)
    _wait(1000, monkeypatch)
    loop.start()
    assert failed_twice.wait(10)

    assert Caller().get("/livez").status_code == 200
    ready = Caller().get("/readyz")
    assert ready.status_code == 200
    assert 1000 <= ready.json()["checks"]["loops"]["test-failing"] < 1100


@pytest.mark.parametrize(("stuck", "status"), [(3, 200), (4, 503)])
def test_a_process_half_of_whose_threads_are_stuck_is_not_alive(stuck, status, settings, monkeypatch, rf):
    settings.WEB_THREADS, settings.SALESFORCE_TIMEOUT_SECONDS = 8, 0.0
    monkeypatch.setattr(health, "_EXTRA_SECONDS", 0.0)
    release, inside = threading.Event(), threading.Barrier(stuck + 1)

    def hang(_request: object) -> HttpResponse:
        inside.wait(10)
        release.wait(30)
        return HttpResponse()

    serve = HealthMiddleware(hang)
    threads = [threading.Thread(target=serve, args=(rf.get("/"),)) for _ in range(stuck)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    response = serve(rf.get("/livez"))
    release.set()
    for thread in threads:
        thread.join(10)

    assert response.status_code == status
    assert serve(rf.get("/livez")).status_code == 200, "the threads have come back"


# --- /readyz -----------------------------------------------------------------------------------------


@pytest.mark.database
def test_a_ready_process_says_what_it_has_checked():
    response = Caller().get("/readyz")

    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    checks = response.json()["checks"]
    assert set(checks.pop("loops")) <= {"spool-replay"}
    assert set(checks) == {"database", "migrations", "key", "audit", "spool"}
    assert set(checks.values()) == {"ok"}


@pytest.mark.database
def test_readyz_checks_at_most_once_a_second(django_assert_num_queries):
    Caller().get("/readyz")

    with django_assert_num_queries(0):
        assert Caller().get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "pod-7.cluster.local", "not a host"])
def test_a_probe_is_served_with_any_host_header(path, host):
    assert Client(headers={"Host": host}).get(path).status_code == 200


@pytest.mark.database
def test_a_probe_uses_no_session(django_assert_num_queries):
    client = Client()
    client.cookies["sessionid"] = "x" * 32

    with django_assert_num_queries(0):
        response = client.get("/livez")

    assert not response.cookies


def _expect_unavailable(code: str, name: str, word: str) -> None:
    response = Caller().get("/readyz")

    content = response.json()
    assert (response.status_code, content["status"], content["code"]) == (503, "unavailable", code)
    assert content["checks"][name] == word
    assert content["reason"]
    assert len(response.content) < 1000


@pytest.mark.database
def test_not_ready_while_a_migration_is_missing(monkeypatch):
    monkeypatch.setattr(readiness, "_all_applied", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'orgs'")

    _expect_unavailable("MIGRATIONS_MISSING", "migrations", "missing")


@pytest.mark.database
def test_not_ready_with_keys_that_do_not_decrypt_the_database():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orgs_deskkey SET sealed_key = %s", [b"of another desk"])
    token_hash_key.cache_clear()

    _expect_unavailable("SEALED", "key", "sealed")
    token_hash_key.cache_clear()


@pytest.mark.database
def test_not_ready_while_the_spool_cannot_be_written_to(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.SPOOL_DIR = str(tmp_path / "file" / "spool")

    _expect_unavailable("SPOOL_UNAVAILABLE", "spool", "unavailable")


@pytest.mark.database
def test_not_ready_while_the_disk_hangs_which_costs_one_thread(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(readiness, "check_writable", lambda: release.wait(30))
    before = threading.active_count()

    for _ in range(3):
        health.forget()
        _expect_unavailable("SPOOL_UNAVAILABLE", "spool", "unavailable")

    assert threading.active_count() == before + 1
    release.set()
    _until_free(readiness._on_disk)


def _until_free(lock: threading.Lock) -> None:
    assert lock.acquire(timeout=10)
    lock.release()


@pytest.mark.database
def test_not_ready_while_audit_rows_are_refused():
    with rows_refused():
        _expect_unavailable("AUDIT_UNAVAILABLE", "audit", "unavailable")


@pytest.mark.database
def test_the_check_of_the_audit_neither_obeys_nor_opens_the_gate_that_others_wait_at(monkeypatch):
    monkeypatch.setattr(audit, "gate", FailFastGate(slow_seconds=0, pause_seconds=0))
    with suppress(Error), audit.gate.attempt():
        raise Error
    with audit.gate.attempt():  # The others are kept out while this one tries.
        assert readiness.check().checks["audit"] == "ok"

        with pytest.raises(GateClosed), audit.gate.attempt():
            raise AssertionError("unreachable")


@contextmanager
def _read_only() -> Iterator[None]:
    with connection.cursor() as cursor:
        on = "PRAGMA query_only = ON" if connection.vendor == "sqlite" else "SET TRANSACTION READ ONLY"
        cursor.execute(on)
        yield
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA query_only = OFF")


@pytest.mark.database
def test_not_ready_on_a_database_that_takes_no_writes():
    Caller().get("/readyz")
    health.forget()
    with _read_only():
        _expect_unavailable("DATABASE_UNAVAILABLE", "database", "read-only")


@pytest.mark.database
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_other_methods_are_refused(method, path):
    assert Caller().send(method, path).refusal == (405, "METHOD_NOT_ALLOWED")
