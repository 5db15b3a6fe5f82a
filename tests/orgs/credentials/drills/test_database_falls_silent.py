"""A desk under load whose database stops responding, ends connections or has a locked table: no thread is lost.

One desk goes through all drills without a restart. FRONTDESK_SILENCE_SECONDS=60 makes the silence a minute long.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ACCESS_TOKEN, ORGS, REGISTER
from tests.support.concurrency import wait_until
from tests.support.live_server import Desk, Reply, live_desk
from tests.support.tcp_relay import Relay

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.alone,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server"),
]
# With so many orgs, no credential has more waiting callers than a desk allows.
ORGS_UNDER_LOAD = [f"ci{number}@acme.example" for number in range(10)]
SILENCE_SECONDS = float(os.environ.get("FRONTDESK_SILENCE_SECONDS", "8"))
CALLERS, THREADS = 60, 32


@dataclass
class Drill:
    """A desk with ten orgs, the relay before its database, and the database's own address."""

    desk: Desk
    relay: Relay
    world: Emulator
    address: str

    def token(self, username: str = ORGS_UNDER_LOAD[0]) -> Reply:
        return self.desk.send("POST", f"{ACCESS_TOKEN}?username={username}", bearer=self.desk.application)

    def livez(self) -> Reply:
        return self.desk.send("GET", "/livez", bearer="")


@pytest.fixture(scope="module")
def drill(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Drill]:
    of, world, addresses = connection.settings_dict, Emulator(), []
    urls = [
        world.add_org(f"ci{number}.my.salesforce.com", username=username).auth_url()
        for number, username in enumerate(ORGS_UNDER_LOAD)
    ]
    relay = Relay(of["HOST"] or "127.0.0.1", int(of["PORT"] or 5432))

    def through_the_relay(address: str) -> str:
        addresses.append(address)
        parts = urlsplit(address)
        return parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{relay.port}").geturl()

    folder, threads = tmp_path_factory.mktemp("desk"), str(THREADS)
    with (
        django_db_blocker.unblock(),
        world.serve() as salesforce,
        live_desk(folder, salesforce.url, database=through_the_relay, WEB_THREADS=threads) as desk,
    ):
        try:
            for url in urls:
                assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
            yield Drill(desk, relay, world, addresses[0])
        finally:
            desk.stop()
            relay.close()


@dataclass
class Load:
    """Callers that send requests in a loop. `replies` holds the time and the content of each response.

    `running` holds when each caller began the request that has no response yet.
    """

    replies: list[tuple[float, Reply]] = field(default_factory=list)
    running: dict[int, float] = field(default_factory=dict)

    def first_success(self, after: float) -> float:
        """Return the time of the first response with status 200 after `after`."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            for at, reply in list(self.replies):
                if at > after and reply.status == 200:
                    return at
            time.sleep(0.05)
        raise AssertionError(self.between(after, until))

    def between(self, begin: float, end: float) -> Counter[int]:
        """Wait for the requests that began between two times, and count their statuses."""
        wait_until(lambda: not any(began < end for began in list(self.running.values())))
        return Counter(reply.status for at, reply in list(self.replies) if begin < at - reply.seconds < end)

    def wait_for_a_second_without_failure(self, after: float) -> float:
        """Return the begin of the first second in which requests began that all succeeded, however long they took."""
        begin = after
        while time.monotonic() < after + 30:
            time.sleep(max(0.0, begin + 1 - time.monotonic()))
            if set(self.between(begin, begin + 1)) == {200}:
                return begin
            begin += 0.5
        raise AssertionError(self.between(after, time.monotonic()))


@contextmanager
def _under_load(drill: Drill) -> Iterator[Load]:
    load, stop = Load(), threading.Event()

    def send(number: int) -> None:
        while not stop.is_set():
            load.running[number] = time.monotonic()
            reply = (
                drill.desk.send("GET", f"{ORGS}?limit=5", bearer=drill.desk.application)
                if number % 2 == 0
                else drill.token(ORGS_UNDER_LOAD[number // 2 % len(ORGS_UNDER_LOAD)])
            )
            load.replies.append((time.monotonic(), reply))
            load.running.pop(number)
            stop.wait(0.05)

    with ThreadPoolExecutor(CALLERS) as pool:
        senders = [pool.submit(send, number) for number in range(CALLERS)]
        try:
            load.first_success(after=0)
            yield load
        finally:
            stop.set()
        for each in senders:
            each.result(60)


def test_connections_that_never_respond_again_are_replaced_without_a_restart(drill):
    with _under_load(drill) as load:
        silent_from = time.monotonic()
        drill.relay.silence()
        drill.relay.speak()

        back = load.first_success(after=silent_from + 1)
        well = load.wait_for_a_second_without_failure(after=back)
        alive = drill.livez()

    assert alive.status == 200
    assert back - silent_from < 10
    assert well - silent_from < 15


def test_requests_succeed_within_five_seconds_of_the_return_of_a_silent_database(drill):
    with _under_load(drill) as load:
        silent_from = time.monotonic()
        drill.relay.silence()
        probes: list[tuple[float, Reply, Reply]] = []
        while time.monotonic() < silent_from + SILENCE_SECONDS:
            seconds = time.monotonic() - silent_from
            probes.append((seconds, drill.livez(), drill.desk.send("GET", "/readyz", bearer="")))
            time.sleep(0.2)
        drill.relay.speak()
        spoke = time.monotonic()

        back = load.first_success(after=spoke)
        load.wait_for_a_second_without_failure(after=back)

    assert back - spoke < 5
    assert {alive.status for _, alive, _ in probes} == {200}
    assert {ready.status for seconds, _, ready in probes if seconds > 2} == {503}
    assert max(ready.seconds for _, _, ready in probes) < 3, "two seconds for the probe, and a busy machine"


def test_ended_connections_fail_only_the_requests_in_progress(drill):
    with _under_load(drill) as load, psycopg.connect(drill.address, autocommit=True) as other:
        cut = time.monotonic()
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        well = load.wait_for_a_second_without_failure(after=cut + 0.2)

        failed = sum(reply.status != 200 for at, reply in load.replies if at > cut)

    assert well - cut < 3
    assert failed <= CALLERS, "each caller has at most one request in progress"


def test_a_request_fails_within_two_seconds_while_the_database_refuses_connections(drill):
    drill.relay.shut()
    try:
        seconds = [drill.token().seconds for _ in range(3)]
        ready = drill.desk.send("GET", "/readyz", bearer="")
    finally:
        drill.relay.open()

    assert max(seconds) < 2.0
    assert (ready.status, ready.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert ready.seconds < 2.0
    _until(lambda: drill.token().status == 200, seconds=5)


def test_a_hundred_requests_fail_within_three_seconds_while_the_audit_is_locked(drill):
    assert drill.token().status == 200
    drill.world.reset_calls()
    with psycopg.connect(drill.address) as other, ThreadPoolExecutor(100) as pool:
        other.execute("LOCK TABLE authn_auditevent IN ACCESS EXCLUSIVE MODE")
        one = drill.token()
        time.sleep(2.1)  # Until then all requests fail at once; then the next one tries again.

        began = time.monotonic()
        calls = [pool.submit(drill.token) for _ in range(100)]
        probes = [drill.livez()]
        while not all(call.done() for call in calls):
            probes.append(drill.livez())
            time.sleep(0.1)
        seconds = time.monotonic() - began
        replies = [one, *(call.result() for call in calls)]

    assert drill.world.calls == []
    assert {(reply.status, reply.json()["code"]) for reply in replies} == {(503, "AUDIT_UNAVAILABLE")}
    assert one.seconds < 2.0
    assert seconds < 3.0
    assert {probe.status for probe in probes} == {200}
    _until(lambda: drill.token().status == 200, seconds=5)


def _until(claim: Callable[[], bool], *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until
        time.sleep(0.1)
