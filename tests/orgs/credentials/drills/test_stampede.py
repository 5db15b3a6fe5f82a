"""Hundreds of callers on one cold credential, over several server processes: at most two refreshes.

PostgreSQL serves 500 callers over four processes, SQLite 120 over two.
"""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from orgs.salesforce.emulator import Emulator, Fault
from tests.orgs.factories import ACCESS_TOKEN, REGISTER
from tests.support.live_server import Desk, Reply, live_desk

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.alone]
TIMEOUT = 10.0


@pytest.fixture
def sizes() -> tuple[int, int]:
    """Processes, and callers to each."""
    return (4, 125) if connection.vendor == "postgresql" else (2, 60)


def _send_together(desk: Desk, callers_each: int, path: str) -> tuple[list[Reply], float]:
    """Start all callers together. Returns their replies, and the seconds until the last one."""
    ports = [port for port in desk.ports for _ in range(callers_each)]
    let_go: list[float] = []
    barrier = threading.Barrier(len(ports), action=lambda: let_go.append(time.monotonic()))

    def call(port: int) -> Reply:
        barrier.wait(timeout=60)
        return desk.send("POST", path, bearer=desk.application, port=port)

    with ThreadPoolExecutor(len(ports)) as pool:
        replies = list(pool.map(call, ports))
    return replies, time.monotonic() - let_go[0]


@pytest.mark.parametrize("rotates", [False, True], ids=["not rotating", "rotating"])
def test_callers_together_on_a_cold_credential(tmp_path, sizes, rotates):
    processes, callers = sizes
    world = Emulator()
    app = world.add_app("AcmeCI", "s3cret", rotates=rotates)
    url = world.add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url(app)
    with (
        world.serve() as salesforce,
        live_desk(tmp_path, salesforce.url, processes=processes, WEB_THREADS="192") as desk,
    ):
        assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
        world.token_latency = 5.0
        world.reset_calls()

        replies, _ = _send_together(desk, callers, f"{ACCESS_TOKEN}?username=ci@acme.example")

        tokens = {reply.json()["accessToken"] for reply in replies if reply.status == 200}
    assert Counter(reply.status for reply in replies) == {200: processes * callers}, desk.logs()[-3000:]
    assert 1 <= world.refreshes() <= 2
    assert world.is_alive(url)
    assert all(world.sessions[token].alive for token in tokens)


def test_callers_together_on_a_hanging_org(tmp_path, sizes):
    processes, callers = sizes
    world = Emulator()
    url = world.add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url()
    with (
        world.serve() as salesforce,
        live_desk(tmp_path, salesforce.url, processes=processes, WEB_THREADS="192") as desk,
    ):
        assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
        world.inject(Fault.hang(60), path="/services/oauth2/token", times=None)
        world.reset_calls()

        replies, took = _send_together(desk, callers, f"{ACCESS_TOKEN}?username=ci@acme.example")

    assert len(replies) == processes * callers
    assert {reply.status for reply in replies} <= {503, 504}, Counter(reply.status for reply in replies)
    assert took < 1.5 * TIMEOUT
    assert len(world.calls_to(path="/services/oauth2/token")) <= 2
