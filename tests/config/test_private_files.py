"""What a desk writes to disk can be read by the user that it runs as, and by no other user of the machine."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from authn.private_files import make_private
from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ACCESS_TOKEN, REGISTER
from tests.support.live_server import Desk, live_desk

pytestmark = pytest.mark.django_db
NAMES = ("desk.sqlite3", "desk.sqlite3-wal", "desk.sqlite3-shm")


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    """Let the processes of a test make files that all users can read, as they do on most machines."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def world() -> Emulator:
    return Emulator()


def _modes(*paths: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}


def _use(desk: Desk, world: Emulator) -> None:
    """Let a desk write to its database and its spool."""
    app = world.add_app("AcmeCI", "s3cret", rotates=True)
    url = world.add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url(app)
    assert desk.send("POST", REGISTER, {"sfdxAuthUrl": url}).status == 201
    assert desk.send("POST", f"{ACCESS_TOKEN}?username=ci@acme.example").status == 200


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its files itself")
def test_the_files_of_a_desk_are_private(tmp_path, world):
    with world.serve() as salesforce, live_desk(tmp_path, salesforce.url, prepared=False) as desk:
        reader = sqlite3.connect(tmp_path / "desk.sqlite3")  # SQLite deletes -wal and -shm at the last close.
        reader.execute("SELECT count(*) FROM authn_user").fetchone()
        _use(desk, world)
        spooled = list((tmp_path / "spool").iterdir())

        found = _modes(*(tmp_path / name for name in NAMES))
        reader.close()

        assert found == dict.fromkeys(NAMES, 0o600)
        assert _modes(tmp_path / "spool") == {"spool": 0o700}
        assert spooled, "the spool has the node's id at least"
        assert set(_modes(*spooled).values()) == {0o600}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps its files itself")
def test_files_of_an_older_desk_are_private_after_its_start(tmp_path, world):
    with world.serve() as salesforce, live_desk(tmp_path, salesforce.url, prepared=False) as desk:
        desk.stop()
        (tmp_path / "desk.sqlite3").chmod(0o644)
        (tmp_path / "spool").chmod(0o755)
        reader = sqlite3.connect(tmp_path / "desk.sqlite3")
        reader.execute("SELECT count(*) FROM authn_user").fetchone()
        assert _modes(*(tmp_path / name for name in NAMES)) == dict.fromkeys(NAMES, 0o644)

        desk.start()
        found = _modes(*(tmp_path / name for name in NAMES), tmp_path / "spool")
        reader.close()

        assert found == {**dict.fromkeys(NAMES, 0o600), "spool": 0o700}


def test_a_folder_that_is_shared_on_purpose_stays_shared(tmp_path):
    tmp_path.chmod(0o1777)

    make_private(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_a_missing_file_is_not_changed(tmp_path):
    make_private(tmp_path / "nothing")

    assert not (tmp_path / "nothing").exists()
