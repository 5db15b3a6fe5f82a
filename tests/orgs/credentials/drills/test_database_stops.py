"""The database stops between the response of Salesforce and the commit: the new refresh token is not lost."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ACCESS_TOKEN, REGISTER
from tests.support.live_server import Desk, live_desk
from tests.support.tcp_relay import Relay

pytestmark = [pytest.mark.database, pytest.mark.django_db]
PATH = f"{ACCESS_TOKEN}?username=ci@acme.example"


class Stopper:
    """Stops and starts the database of a desk: a lock on the whole SQLite file, or PostgreSQL cut off."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "desk.sqlite3"
        self._lock: sqlite3.Connection | None = None
        of = connection.settings_dict
        self.relay = None if connection.vendor == "sqlite" else Relay(of["HOST"], int(of["PORT"] or 5432))

    def address(self, database_url: str) -> str:
        """Return the address that the desk uses: on PostgreSQL, that of the relay."""
        if self.relay is None:
            return f"{database_url}?timeout=1"
        parts = urlsplit(database_url)
        user = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{user}@127.0.0.1:{self.relay.port}").geturl()

    def stop(self) -> None:
        if self.relay:
            self.relay.shut()
            return
        self._lock = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        self._lock.execute("BEGIN IMMEDIATE")

    def start(self) -> None:
        if self.relay:
            self.relay.open()
        if self._lock:
            self._lock.execute("ROLLBACK")
            self._lock.close()
            self._lock = None


@contextmanager
def _desk(folder: Path, world: Emulator, stopper: Stopper) -> Iterator[Desk]:
    with world.serve() as salesforce, live_desk(folder, salesforce.url, database=stopper.address) as desk:
        try:
            yield desk
        finally:
            stopper.start()
            if stopper.relay:
                desk.stop()
                stopper.relay.close()


def test_a_rotated_token_survives(tmp_path):
    world = Emulator()
    app = world.add_app("AcmeCI", "s3cret", rotates=True)
    url = world.add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url(app)
    stopper = Stopper(tmp_path)
    with _desk(tmp_path, world, stopper) as desk:
        assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201

        def stop_before_the_response(_: object) -> None:
            world.on_change = None
            stopper.stop()

        world.on_change = stop_before_the_response
        during = desk.send("POST", PATH, bearer=desk.application)
        spooled = len(list((tmp_path / "spool").glob("*.spool")))
        stopper.start()
        after = _until_it_works(desk)

    assert (during.status, during.json()["code"]) == (503, "DATABASE_UNAVAILABLE"), during.text
    assert spooled == 1
    assert after == 200
    assert world.is_alive(url)


def test_without_a_database_no_request_is_sent_to_salesforce(tmp_path):
    world = Emulator()
    url = world.add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url()
    stopper = Stopper(tmp_path)
    with _desk(tmp_path, world, stopper) as desk:
        assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
        world.reset_calls()
        stopper.stop()

        response = desk.send("POST", PATH, bearer=desk.application)

        assert response.status == 503
        assert world.calls == []
        assert desk.send("GET", "/livez", bearer="").status == 200


def _until_it_works(desk: Desk) -> int:
    until = time.monotonic() + 40
    while True:
        status = desk.send("POST", PATH, bearer=desk.application).status
        if status == 200 or time.monotonic() > until:
            return status
        time.sleep(0.5)
