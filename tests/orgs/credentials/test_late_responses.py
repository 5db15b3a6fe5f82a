"""A response that arrives after the caller's deadline: a rotating credential survives it.

FRONTDESK_STALL_SECONDS=60 makes the stall as long as a real one; it is short otherwise.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from orgs.salesforce.emulator import Emulator, Fault
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER
from tests.support.live_server import Desk, RefreshTimes, Reply, live_desk

pytestmark = pytest.mark.django_db

STALL = float(os.environ.get("FRONTDESK_STALL_SECONDS", "3"))
TIMES: RefreshTimes = {"SALESFORCE_TIMEOUT_SECONDS": "1", "REFRESH_LOCK_SECONDS": "2", "TAKEOVER_SECONDS": "8"}
TOKEN = "/services/oauth2/token"


@pytest.fixture(scope="module")
def world() -> Emulator:
    made = Emulator()
    made.add_app("Rotating", "s3cret", rotates=True)
    made.add_app("Static", "s3cret")
    return made


@pytest.fixture(scope="module")
def desk(world, tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Desk]:
    """Two processes of one node."""
    folder = tmp_path_factory.mktemp("late")
    with (
        django_db_blocker.unblock(),
        world.serve() as server,
        live_desk(folder, server.url, processes=2, **TIMES) as desk,
    ):
        yield desk


def _register(desk: Desk, world: Emulator, name: str, app: str = "Rotating") -> str:
    """Register a new org and return its auth URL."""
    url = world.add_org(f"{name}.my.salesforce.com", username=f"{name}@acme.example").auth_url(world.apps[app])
    assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
    return url


def _token(desk: Desk, name: str, process: int = 0) -> Reply:
    path = f"{ACCESS_TOKEN}?username={name}@acme.example"
    return desk.send("POST", path, bearer=desk.application, port=desk.ports[process])


def _token_with_retries(desk: Desk, name: str, seconds: float) -> Reply:
    """Request a token until a response is neither 503 nor 504."""
    until = time.monotonic() + seconds
    while True:
        reply = _token(desk, name)
        if reply.status not in {503, 504} or time.monotonic() > until:
            return reply
        time.sleep(min(0.5, float(reply.headers.get("Retry-After", "0.5"))))


@pytest.mark.database
def test_a_response_after_the_deadline_is_kept(desk, world):
    url = _register(desk, world, "late")
    world.inject(Fault.hang(3), path=TOKEN)

    assert _token(desk, "late").status == 504
    reply = _token_with_retries(desk, "late", 10)

    assert reply.status == 200, reply.text
    assert world.is_alive(url)
    assert desk.send("GET", f"{ORG}?username=late@acme.example").json()["health"]["state"] == "healthy"


@pytest.mark.database
@pytest.mark.parametrize("process", [0, 1], ids=["same process", "other process of the node"])
def test_the_token_is_not_sent_again_while_its_response_may_still_arrive(desk, world, process):
    name = f"awaited{process}"
    url = _register(desk, world, name)
    world.inject(Fault.hang(3), path=TOKEN)
    world.reset_calls()
    assert _token(desk, name).status == 504

    reply = _token(desk, name, process)

    assert (reply.status, reply.json()["code"]) == (503, "REFRESH_IN_PROGRESS")
    assert 1 <= int(reply.headers["Retry-After"]) <= 5
    assert world.refreshes() == 1
    assert _token_with_retries(desk, name, 10).status == 200
    assert world.is_alive(url)


def test_a_token_that_does_not_rotate_is_sent_again_at_once(desk, world):
    url = _register(desk, world, "static", "Static")
    assert _token(desk, "static").status == 200
    world.inject(Fault.hang(5), path=TOKEN)

    assert [_token(desk, "static").status for _ in range(2)] == [504, 200]
    assert world.is_alive(url)


@pytest.mark.database
def test_a_response_that_never_arrives_is_reported_as_lost_and_leaves_no_file(desk, world):
    _register(desk, world, "lost")
    world.inject(Fault.hang(60), path=TOKEN)
    assert _token(desk, "lost").status == 504

    reply = _token_with_retries(desk, "lost", 15)

    assert (reply.status, reply.json()["code"]) == (409, "LOST_ANSWER")
    assert list((desk.folder / "spool").glob("*.spool")) == []


def test_a_stall_of_salesforce_costs_no_rotating_credential(tmp_path):
    world = Emulator()
    world.add_app("Rotating", "s3cret", rotates=True)
    names = [f"stalled{number}" for number in range(20)]
    times = TIMES | {"TAKEOVER_SECONDS": str(STALL + 20)}
    with world.serve() as server, live_desk(tmp_path, server.url, processes=2, **times) as desk:
        urls = [_register(desk, world, name) for name in names]
        world.token_latency = STALL
        with ThreadPoolExecutor(len(names)) as pool:
            at_first = Counter(reply.status for reply in pool.map(lambda name: _token(desk, name), names))
            world.token_latency = 0.0
            replies = list(pool.map(lambda name: _token_with_retries(desk, name, STALL + 40), names))

    assert at_first == {504: len(names)}
    assert [reply.status for reply in replies] == [200] * len(names), [reply.text for reply in replies]
    assert all(world.is_alive(url) for url in urls)
