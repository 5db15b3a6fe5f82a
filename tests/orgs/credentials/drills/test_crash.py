"""A process that is killed at any point of a refresh loses no refresh token. On both databases.

Five kills for each point; FRONTDESK_KILLS=500 makes it the long run of docs/performance.md.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orgs.salesforce.emulator import Emulator
from tests.orgs.credentials.drills.crasher import Crasher
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER
from tests.support.live_server import Desk, RefreshTimes, Reply, live_desk

pytestmark = [pytest.mark.database, pytest.mark.django_db]
KILLS = int(os.environ.get("FRONTDESK_KILLS", "5"))
# Each kill costs two log-ins, and a credential has 600 at once.
KILLS_BEFORE_A_NEW_CREDENTIAL = 100
TIMES: RefreshTimes = {"SALESFORCE_TIMEOUT_SECONDS": "1", "REFRESH_LOCK_SECONDS": "2", "TAKEOVER_SECONDS": "4"}


@contextmanager
def _desk_and_crasher(tmp_path, world: Emulator) -> Iterator[tuple[Desk, Crasher]]:
    with world.serve() as salesforce, live_desk(tmp_path, salesforce.url, **TIMES) as desk:
        crasher = Crasher(desk)
        try:
            yield desk, crasher
        finally:
            crasher.close()


def _an_org(world: Emulator, desk: Desk, *, rotates: bool) -> str:
    """Register the org of the emulator with a new auth URL, and return it."""
    app = world.apps.get("AcmeCI") or world.add_app("AcmeCI", "s3cret", rotates=rotates)
    org = world.orgs[0] if world.orgs else world.add_org("ci.my.salesforce.com", username="ci@acme.example")
    url = org.auth_url(app)
    assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
    return url


def _token(desk: Desk) -> Reply:
    """Request a token as a CI job does: try again after Retry-After."""
    until = time.monotonic() + 20
    while True:
        reply = desk.send("POST", f"{ACCESS_TOKEN}?username=ci@acme.example", bearer=desk.application)
        if reply.status != 503 or time.monotonic() > until:
            return reply
        time.sleep(min(1.0, float(reply.headers.get("Retry-After", "1"))))


@pytest.mark.parametrize("rotates", [True, False], ids=["rotating", "not rotating"])
@pytest.mark.parametrize("point", ["before-send", "spooled", "committed"])
def test_nothing_is_lost_when_a_process_dies(tmp_path, point, rotates):
    if point != "before-send" and not rotates:
        pytest.skip("a token that does not rotate is never spooled")
    world = Emulator()
    with _desk_and_crasher(tmp_path, world) as (desk, crasher):
        for number in range(KILLS):
            if number % KILLS_BEFORE_A_NEW_CREDENTIAL == 0:
                url = _an_org(world, desk, rotates=rotates)
            crasher.crash(point, "ci@acme.example")

            reply = _token(desk)

            assert reply.status == 200, reply.text
            assert world.is_alive(url)
        assert _left_in_the_spool(desk) == []


def test_a_response_that_no_process_read_is_reported_as_lost(tmp_path):
    world = Emulator()
    with _desk_and_crasher(tmp_path, world) as (desk, crasher):
        for _ in range(KILLS):
            _an_org(world, desk, rotates=True)
            crasher.crash("sent", "ci@acme.example")

            reply = _token(desk)

            health = desk.send("GET", f"{ORG}?username=ci@acme.example").json()["health"]
            assert (reply.status, reply.json()["code"]) == (409, "LOST_ANSWER"), reply.text
            assert (health["state"], health["reason"]) == ("expired", "LOST_ANSWER")


def test_a_response_that_no_process_read_is_harmless_if_the_token_does_not_rotate(tmp_path):
    world = Emulator()
    with _desk_and_crasher(tmp_path, world) as (desk, crasher):
        for number in range(KILLS):
            if number % KILLS_BEFORE_A_NEW_CREDENTIAL == 0:
                _an_org(world, desk, rotates=False)
            crasher.crash("sent", "ci@acme.example")

            assert _token(desk).status == 200


def test_new_servers_commit_the_response_that_killed_servers_left_in_the_spool(tmp_path):
    world = Emulator()
    with _desk_and_crasher(tmp_path, world) as (desk, crasher):
        url = _an_org(world, desk, rotates=True)
        crasher.crash("spooled", "ci@acme.example")
        desk.kill()
        desk.start()

        assert _left_in_the_spool(desk) == [], "a process replays at its start, before any request"
        assert _token(desk).status == 200
        assert world.is_alive(url)


def _left_in_the_spool(desk: Desk) -> list[str]:
    """Return the spool files that are left after every process has had time to replay."""
    until = time.monotonic() + 15
    while (left := [path.name for path in (desk.folder / "spool").glob("*.spool")]) and time.monotonic() < until:
        time.sleep(0.1)
    return left
