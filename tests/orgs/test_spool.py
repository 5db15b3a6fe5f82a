"""The spool: room before the call, the answer on disk before anything else, and home again."""

import errno
import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from authn.models import AuditEvent
from orgs import spool
from orgs.models import Credential
from orgs.outcomes import Outcome
from orgs.replay import ReplayIncomplete, replay
from orgs.salesforce import AuthUrl, Session
from orgs.salesforce.emulator import Fault
from orgs.spool import Place, SpoolDamaged, SpoolFile, SpoolFull, SpoolInUse
from tests.orgs.abandoned import leave_an_answer
from tests.orgs.worlds import ACCESS_TOKEN, ORG, REGISTER, TEST_CONNECTION, an_org


@pytest.fixture(autouse=True)
def folder(tmp_path, settings) -> Path:
    settings.SPOOL_DIR = str(tmp_path / "spool")
    return tmp_path / "spool"


def abandoned() -> list[SpoolFile]:
    return [file for path in spool.files() if (file := spool.open_abandoned(path))]


@pytest.fixture
def place() -> Place:
    return Place(uuid.uuid4(), 7)


def test_room_is_made_at_full_size_and_goes_when_nothing_was_written(place):
    with SpoolFile.reserve(place):
        size = place.path.stat().st_size

    assert size == spool.ROOM_BYTES
    assert not place.path.exists()


def test_what_was_written_stays_and_can_be_read_by_the_next_process(place):
    with SpoolFile.reserve(place) as file:
        file.write("the answer")

    [found] = abandoned()
    with found:
        assert found.place == place
        assert found.read() == "the answer"


def test_nothing_is_written_in_the_clear_and_nobody_else_can_read_it(place, folder):
    with SpoolFile.reserve(place) as file:
        file.write("5Aep861-canary")

    assert b"canary" not in place.path.read_bytes()
    assert place.path.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_a_file_that_somebody_works_on_is_left_alone(place):
    with SpoolFile.reserve(place) as file:
        file.write("the answer")

        assert list(abandoned()) == []
        with pytest.raises(SpoolInUse):
            SpoolFile.reserve(place)


def test_a_written_answer_is_not_written_over(place):
    with SpoolFile.reserve(place) as file:
        file.write("the answer")

    with pytest.raises(SpoolInUse):
        SpoolFile.reserve(place)


def test_the_room_of_a_process_that_died_is_used_again(place):
    place.path.write_bytes(bytes(spool.ROOM_BYTES))

    with SpoolFile.reserve(place) as file:
        assert file.read() is None


def test_a_full_disk_is_found_before_the_call(place, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(SpoolFull):
        SpoolFile.reserve(place)


@pytest.mark.parametrize(
    "damage", [b"FDSPOOL1\x00\x00\x00\x10" + b"x" * 16, b"something else", b"FDSPOOL1\xff\xff\xff\xff"]
)
def test_a_damaged_file_is_told_apart_and_set_aside(place, damage, folder, db):
    folder.mkdir()
    place.path.write_bytes(damage)

    [found] = abandoned()
    with found, pytest.raises(SpoolDamaged):
        found.read()
    assert replay() == 0
    assert [path.suffix for path in folder.iterdir() if path.name != "node"] == [".damaged"]


def test_an_answer_that_the_disk_does_not_give_is_kept(place, monkeypatch, db):
    with SpoolFile.reserve(place) as file:
        file.write("the answer")

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", broken)
        with pytest.raises(ReplayIncomplete, match=place.path.name):
            replay()

    [found] = abandoned()
    with found:
        assert found.read() == "the answer"


def test_a_node_keeps_its_id(folder):
    first = spool.node()
    spool._node.cache_clear()

    assert spool.node() == first
    assert (folder / "node").stat().st_mode & 0o077 == 0


def test_an_outcome_survives_as_text_and_its_repr_shows_no_secret():
    outcome = Outcome(
        auth_url=AuthUrl("App", "secret-canary", "5Aep-canary", "acme.my.salesforce.com"),
        rotated=True,
        session=Session("AQ-canary", "https://acme.my.salesforce.com", "00D" + "x" * 15, "005" + "x" * 15),
        code="",
    )

    assert Outcome.from_text(outcome.to_text()) == outcome
    assert "canary" not in repr(outcome)


# --- Replaying ---------------------------------------------------------------------------------------


@pytest.fixture
def rotating(owner, salesforce):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    url = an_org(salesforce).auth_url(app)
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201
    return url


def test_an_abandoned_answer_comes_home(owner, salesforce, rotating):
    before = Credential.objects.get()
    leave_an_answer(before)

    assert replay() == 1

    assert Credential.objects.get().generation == before.generation + 1
    assert AuditEvent.objects.filter(action="credential.answer_replayed").count() == 1
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_a_sweep_brings_it_home_too(owner, salesforce, rotating, folder):
    leave_an_answer(Credential.objects.get())

    call_command("sweep")

    assert [path.name for path in spool.files()] == []
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_a_sweep_outlives_a_spool_that_cannot_be_read(monkeypatch, rotating):
    leave_an_answer(Credential.objects.get())

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)

    with pytest.raises(CommandError, match="A sweep failed"):
        call_command("sweep")


def test_it_comes_home_at_the_next_use_too(owner, salesforce, rotating):
    credential = Credential.objects.get()
    leave_an_answer(credential)
    Credential.objects.update(sent_at=credential.created_at, sent_by=spool.node())

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_an_answer_that_the_database_has_is_only_cleared_away(salesforce, rotating, folder):
    credential = Credential.objects.get()
    leave_an_answer(credential)
    Credential.objects.update(generation=credential.generation + 1)

    assert replay() == 0

    assert [path.name for path in spool.files()] == []
    assert Credential.objects.get().generation == credential.generation + 1


@pytest.fixture
def answer_elsewhere(rotating, settings) -> Callable[[], Path]:
    """Leave an answer in the spool of another node, which is down; returns what starts that node again."""
    credential = Credential.objects.get()
    leave_an_answer(credential)
    sent_at = Now() - timedelta(seconds=settings.TAKEOVER_SECONDS + 1)
    Credential.objects.update(sent_at=sent_at, sent_by=uuid.uuid4())
    file = Place(credential.pk, credential.generation).path
    elsewhere = file.rename(file.with_suffix(".elsewhere"))
    return lambda: elsewhere.rename(file)


@pytest.mark.parametrize(
    "trouble",
    [Fault.no_name(), Fault.html_maintenance(), Fault.reset(processed=False)],
    ids=["nothing was sent", "a later", "a lost answer"],
)
def test_an_attempt_that_settles_nothing_burns_no_answer(owner, salesforce, rotating, answer_elsewhere, trouble):
    salesforce.inject(trouble, path="/services/oauth2/token", times=2)
    assert [owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code for _ in range(2)] == [503, 503]

    answer_elsewhere()

    assert replay() == 1
    assert Credential.objects.get().sent_at is None
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_an_answer_of_an_earlier_generation_comes_home_before_a_retry_too(
    owner, salesforce, rotating, answer_elsewhere
):
    salesforce.inject(Fault.no_name(), path="/services/oauth2/token")
    owner.post(ACCESS_TOKEN, username="ci@acme.example")
    answer_elsewhere()

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_an_answer_from_before_the_last_that_is_known_is_only_cleared_away(owner, salesforce, rotating, folder):
    leave_an_answer(Credential.objects.get())
    elsewhere = Place(Credential.objects.get().pk, Credential.objects.get().generation).path
    kept = elsewhere.rename(elsewhere.with_suffix(".elsewhere"))
    Credential.objects.update(sent_at=Now() - timedelta(hours=1), sent_by=uuid.uuid4())
    salesforce.inject(Fault.oauth("invalid_grant", "inactive user"), path="/services/oauth2/token")
    owner.post(ACCESS_TOKEN, username="ci@acme.example")
    salesforce.inject(Fault.reset(processed=False), path="/services/oauth2/token")
    owner.post(TEST_CONNECTION, username="ci@acme.example")
    grant = Credential.objects.with_secrets().get().sealed_grant.open()

    kept.rename(elsewhere)

    assert replay() == 0
    assert [path.name for path in spool.files()] == []
    assert Credential.objects.with_secrets().get().sealed_grant.open() == grant


def test_a_new_token_whose_credential_was_deleted_is_revoked(owner, salesforce, rotating, folder):
    leave_an_answer(Credential.objects.get())
    owner.delete(ORG, username="ci@acme.example")

    replay()

    assert not salesforce.is_alive(rotating)
    assert [path.name for path in spool.files()] == []
