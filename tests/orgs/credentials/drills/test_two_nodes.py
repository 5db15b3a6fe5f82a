"""Two nodes with spools of their own over one PostgreSQL that fails at the worst moment: no credential is lost.

FRONTDESK_DRILLS=20 repeats the drill 20 times, with a database that is read-only for 10 seconds.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER
from tests.support.live_server import Desk, RefreshTimes, live_desk

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DRILLS = int(os.environ.get("FRONTDESK_DRILLS", "1"))
READ_ONLY_SECONDS = 10.0 if DRILLS > 1 else 3.0
TAKEOVER_SECONDS = READ_ONLY_SECONDS + 12
TIMES: RefreshTimes = {
    "SALESFORCE_TIMEOUT_SECONDS": "2",
    "REFRESH_LOCK_SECONDS": "3",
    "TAKEOVER_SECONDS": str(TAKEOVER_SECONDS),
}
PATH = f"{ACCESS_TOKEN}?username=ci@acme.example"


class Database:
    """The database of the desks, and the faults that an administrator can cause."""

    def __init__(self, url: str) -> None:
        self.name = urlsplit(url).path.strip("/")
        of = connection.settings_dict
        self._administrator = psycopg.connect(
            host=of["HOST"],
            port=of["PORT"] or 5432,
            user=of["USER"],
            password=of["PASSWORD"],
            dbname=of["NAME"],
            autocommit=True,
        )

    def become(self, *, read_only: bool) -> None:
        """End every connection. New ones are read-only, or can write again."""
        state = "on" if read_only else "off"
        self._administrator.execute(f'ALTER DATABASE "{self.name}" SET default_transaction_read_only = {state}')
        self._administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.name]
        )

    def close(self) -> None:
        self._administrator.close()


@contextmanager
def _two_nodes(folder, salesforce_url: str) -> Iterator[tuple[Desk, Desk, Database]]:
    with live_desk(folder, salesforce_url, **TIMES) as one:
        other = Desk(folder, one.environment | {"SPOOL_DIR": str(folder / "other-spool")})
        other.owner, other.application = one.owner, one.application
        database = Database(one.environment["DATABASE_URL"])
        other.start()
        try:
            yield one, other, database
        finally:
            database.become(read_only=False)
            other.stop()
            database.close()


def _send_until_served(desk: Desk, seconds: float) -> int:
    until = time.monotonic() + seconds
    while True:
        status = desk.send("POST", PATH, bearer=desk.application).status
        if status in {200, 409} or time.monotonic() > until:
            return status
        time.sleep(0.5)


@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite is for one machine")
def test_a_spooled_token_survives_a_database_that_is_cut_and_comes_back_read_only(tmp_path):
    world = Emulator()
    app = world.add_app("AcmeCI", "s3cret", rotates=True)
    url = world.add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url(app)
    with world.serve() as server, _two_nodes(tmp_path, server.url) as (one, other, database):
        assert one.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
        for _ in range(DRILLS):

            def fail_before_the_response(_: object) -> None:
                world.on_change = None
                database.become(read_only=True)
                threading.Timer(READ_ONLY_SECONDS, database.become, kwargs={"read_only": False}).start()

            world.on_change = fail_before_the_response
            assert one.send("POST", PATH, bearer=one.application).status == 503
            assert len(list((one.folder / "spool").glob("*.spool"))) == 1

            served = _send_until_served(other, READ_ONLY_SECONDS + TAKEOVER_SECONDS + 10)

            health = other.send("GET", f"{ORG}?username=ci@acme.example", bearer=other.application).json()["health"]
            assert (served, health["state"]) == (200, "healthy"), one.logs()[-4000:]
            assert world.is_alive(url)
            assert _send_until_served(one, 20) == 200
