"""Spool files: space before the call, and the response on disk, encrypted, before anything else."""

import os
import uuid

import pytest

from orgs.credentials import spool
from orgs.credentials.envelopes import Binding
from orgs.credentials.outcomes import Failed, GrantCreated, Refreshed, from_text, to_text
from orgs.credentials.replay import ReplayIncomplete, replay
from orgs.credentials.spool import AttemptId, SpoolDamaged, SpoolFile, SpoolFull, SpoolInUse
from orgs.salesforce import AuthUrl, Session
from tests.orgs.credentials.disk_faults import io_error, no_space

pytestmark = pytest.mark.usefixtures("spool_folder")


def abandoned_files() -> list[SpoolFile]:
    """Lock and return the files that no process has locked."""
    return [file for path in spool.files() if (file := spool.lock_abandoned(path))]


@pytest.fixture
def attempt_id() -> AttemptId:
    return AttemptId(uuid.uuid4(), 7)


def test_a_file_is_reserved_at_full_size_and_removed_when_nothing_was_written(attempt_id):
    with SpoolFile.reserve(attempt_id):
        size = attempt_id.path.stat().st_size

    assert size == spool.RESERVED_BYTES
    assert not attempt_id.path.exists()


def test_a_written_response_can_be_read_by_another_process(attempt_id):
    with SpoolFile.reserve(attempt_id) as file:
        file.write("a response")

    [abandoned] = abandoned_files()
    with abandoned:
        assert abandoned.attempt_id == attempt_id
        assert abandoned.read() == "a response"


def test_a_response_is_encrypted_and_private_to_its_owner(attempt_id, spool_folder):
    with SpoolFile.reserve(attempt_id) as file:
        file.write("5Aep861-canary")

    assert b"canary" not in attempt_id.path.read_bytes()
    assert attempt_id.path.stat().st_mode & 0o077 == 0
    assert spool_folder.stat().st_mode & 0o077 == 0


def test_a_locked_file_is_neither_abandoned_nor_reserved_again(attempt_id):
    with SpoolFile.reserve(attempt_id) as file:
        file.write("a response")

        assert abandoned_files() == []
        with pytest.raises(SpoolInUse):
            SpoolFile.reserve(attempt_id)


def test_a_written_response_is_not_overwritten(attempt_id):
    with SpoolFile.reserve(attempt_id) as file:
        file.write("a response")

    with pytest.raises(SpoolInUse):
        SpoolFile.reserve(attempt_id)


def test_the_empty_file_of_a_dead_process_is_reserved_again(attempt_id):
    attempt_id.path.write_bytes(bytes(spool.RESERVED_BYTES))

    with SpoolFile.reserve(attempt_id) as file:
        assert file.read() is None


def test_a_full_disk_prevents_the_reservation(attempt_id, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", no_space)

    with pytest.raises(SpoolFull):
        SpoolFile.reserve(attempt_id)


@pytest.mark.parametrize(
    "damage", [b"FDSPOOL1\x00\x00\x00\x10" + b"x" * 16, b"something else", b"FDSPOOL1\xff\xff\xff\xff"]
)
def test_a_damaged_file_that_no_credential_needs_is_renamed(attempt_id, damage, spool_folder, db):
    spool_folder.mkdir()
    attempt_id.path.write_bytes(damage)

    [abandoned] = abandoned_files()
    with abandoned, pytest.raises(SpoolDamaged):
        abandoned.read()
    assert replay() == 0
    assert [path.suffix for path in spool_folder.iterdir() if path.name != "node"] == [".damaged"]


def test_a_response_that_the_disk_cannot_return_is_kept(attempt_id, monkeypatch, db):
    with SpoolFile.reserve(attempt_id) as file:
        file.write("a response")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", io_error)
        with pytest.raises(ReplayIncomplete, match=attempt_id.path.name):
            replay()

    [abandoned] = abandoned_files()
    with abandoned:
        assert abandoned.read() == "a response"


def test_an_outcome_is_restored_from_its_text_and_its_repr_shows_no_secret():
    url = AuthUrl("App", "secret-canary", "5Aep-canary", "acme.my.salesforce.com")
    session = Session("AQ-canary", "https://acme.my.salesforce.com", "00D" + "x" * 15, "005" + "x" * 15)

    for outcome in (
        Refreshed(session, url, rotated=True),
        Refreshed(session, url, rotated=False),
        GrantCreated(session, url, Binding("00D" + "x" * 15, "ci@acme.example")),
        Failed("ORG_ID_MISMATCH", new_auth_url=url),
    ):
        assert from_text(to_text(outcome)) == outcome
        assert "canary" not in repr(outcome)
