"""The spool: room before the call, the answer on disk before anything else, and home again."""

import errno
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from authn.models import AuditEvent
from orgs.credentials import attempts, refresh_lock, sessions, spool
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import Binding, decrypt_grant
from orgs.credentials.models import Credential
from orgs.credentials.outcomes import Failed, GrantCreated, Refreshed, from_text, to_text
from orgs.credentials.replay import ReplayIncomplete, loop, replay
from orgs.credentials.spool import AttemptId, SpoolDamaged, SpoolFile, SpoolFull, SpoolInUse
from orgs.salesforce import AuthUrl, Session, TokenResponse
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.abandoned import leave_an_answer
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, TEST_CONNECTION, an_org
from tests.support.live_server import ROOT


@pytest.fixture(autouse=True)
def folder(tmp_path, settings) -> Path:
    settings.SPOOL_DIR = str(tmp_path / "spool")
    return tmp_path / "spool"


def abandoned() -> list[SpoolFile]:
    return [file for path in spool.files() if (file := spool.lock_abandoned(path))]


@pytest.fixture
def place() -> AttemptId:
    return AttemptId(uuid.uuid4(), 7)


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
        assert found.attempt_id == place
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
    first = spool.node_id()
    spool._node_id.cache_clear()

    assert spool.node_id() == first
    assert (folder / "node").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "5f3c"], ids=["empty", "cut short"])
def test_a_node_file_that_a_full_disk_left_unfinished_is_written_again(folder, content):
    folder.mkdir()
    (folder / "node").write_text(content)

    made = spool.node_id()

    spool._node_id.cache_clear()
    assert spool.node_id() == made
    assert (folder / "node").read_text() == made.hex


def test_a_full_disk_at_the_first_use_leaves_no_node_file(folder, monkeypatch):
    folder.mkdir()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            spool.node_id()

    assert [path.name for path in folder.iterdir()] == ["node.lock"]
    assert spool.node_id() == spool.node_id()


def test_processes_that_come_first_at_once_read_one_whole_id(folder):
    folder.mkdir()
    code = "import sys; from orgs.credentials import spool; print(spool._node_id(spool.Path(sys.argv[1])).hex)"
    start = "import django, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; django.setup(); "
    command = [sys.executable, "-c", start + code, str(folder)]
    started = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    ids = {process.communicate(timeout=60)[0].strip() for process in started}

    assert ids == {(folder / "node").read_text()}


def test_a_desk_without_room_for_its_node_file_refuses_and_recovers(owner, salesforce, folder, monkeypatch):
    url = an_org(salesforce).auth_url()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        refused = owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert (refused.status_code, refused.json()["code"]) == (503, "SPOOL_UNAVAILABLE")
    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201


def test_an_outcome_survives_as_text_and_its_repr_shows_no_secret():
    url = AuthUrl("App", "secret-canary", "5Aep-canary", "acme.my.salesforce.com")
    session = Session("AQ-canary", "https://acme.my.salesforce.com", "00D" + "x" * 15, "005" + "x" * 15)

    for outcome in (
        Refreshed(session, url, rotated=True),
        GrantCreated(session, url, Binding("00D" + "x" * 15, "ci@acme.example")),
        Failed("ORG_ID_MISMATCH", new_auth_url=url),
    ):
        assert from_text(to_text(outcome)) == outcome
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
    Credential.objects.update(sent_at=credential.created_at, sent_by=spool.node_id())

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
    file = AttemptId(credential.pk, credential.generation).path
    elsewhere = file.rename(file.with_suffix(".elsewhere"))
    return lambda: elsewhere.rename(file)


@pytest.mark.parametrize(
    "case",
    [Fault.no_name(), Fault.html_maintenance(), Fault.reset(processed=False)],
    ids=["nothing was sent", "a later", "a lost answer"],
)
def test_an_attempt_that_settles_nothing_burns_no_answer(owner, salesforce, rotating, answer_elsewhere, case):
    salesforce.inject(case, path="/services/oauth2/token", times=2)
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
    elsewhere = AttemptId(Credential.objects.get().pk, Credential.objects.get().generation).path
    kept = elsewhere.rename(elsewhere.with_suffix(".elsewhere"))
    Credential.objects.update(sent_at=Now() - timedelta(hours=1), sent_by=uuid.uuid4())
    salesforce.inject(Fault.oauth("invalid_grant", "inactive user"), path="/services/oauth2/token")
    owner.post(ACCESS_TOKEN, username="ci@acme.example")
    salesforce.inject(Fault.reset(processed=False), path="/services/oauth2/token")
    owner.post(TEST_CONNECTION, username="ci@acme.example")
    grant = Credential.objects.with_secrets().get().sealed_grant.decrypt()

    kept.rename(elsewhere)

    assert replay() == 0
    assert [path.name for path in spool.files()] == []
    assert Credential.objects.with_secrets().get().sealed_grant.decrypt() == grant


# --- What cannot be read ------------------------------------------------------------------------------


@pytest.fixture
def two_answers(owner, salesforce, folder) -> list[Credential]:
    """Two rotating credentials whose newest tokens lie in the spool alone, the older one first."""
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    for number, name in enumerate(("old@acme.example", "new@acme.example")):
        assert owner.post(REGISTER, {"sfdxAuthUrl": an_org(salesforce, name).auth_url(app)}).status_code == 201
        credential = Credential.objects.get(org__username=name)
        leave_an_answer(credential)
        Credential.objects.filter(pk=credential.pk).update(
            sent_at=Now(), sent_by=spool.node_id(), unanswered_since=credential.generation, health="uncertain"
        )
        path = AttemptId(credential.pk, credential.generation).path
        os.utime(path, (number, number))
    return list(Credential.objects.order_by("created_at"))


@pytest.fixture
def cannot_open(monkeypatch) -> Callable[[Path], None]:
    """Make a file one that another user owns, which root would open all the same."""
    refused: set[str] = set()
    really_open = os.open

    def guarded(path: object, *arguments: int, **options: int) -> int:
        if str(path) in refused:
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", guarded)
    return lambda path: refused.add(str(path))


def test_a_file_that_cannot_be_opened_keeps_no_other_file_waiting(two_answers, cannot_open, caplog):
    old, new = two_answers
    cannot_open(AttemptId(old.pk, old.generation).path)

    with pytest.raises(ReplayIncomplete):
        replay()

    assert Credential.objects.get(pk=new.pk).generation == new.generation + 1
    assert [AttemptId(old.pk, old.generation).path.name in record.getMessage() for record in caplog.records] == [True]


def test_a_file_that_stays_unreadable_is_logged_once(two_answers, cannot_open, caplog):
    old, _ = two_answers
    cannot_open(AttemptId(old.pk, old.generation).path)

    assert [loop.run_once() for _ in range(5)] == [True] * 5

    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


def test_an_org_whose_answer_cannot_be_read_is_not_refreshed(owner, salesforce, two_answers, cannot_open):
    old, _ = two_answers
    path = AttemptId(old.pk, old.generation).path
    cannot_open(path)
    salesforce.reset_calls()

    answer = owner.post(ACCESS_TOKEN, username="old@acme.example")

    assert (answer.status_code, answer.json()["code"]) == (503, "SPOOL_UNREADABLE")
    assert path.name in answer.json()["message"]
    assert salesforce.calls == []
    assert owner.post(ACCESS_TOKEN, username="new@acme.example").status_code == 200


def test_it_works_again_when_the_file_can_be_read(owner, two_answers, cannot_open, monkeypatch):
    old, _ = two_answers
    cannot_open(AttemptId(old.pk, old.generation).path)
    assert owner.post(ACCESS_TOKEN, username="old@acme.example").refusal == (503, "SPOOL_UNREADABLE")

    monkeypatch.undo()

    assert owner.post(ACCESS_TOKEN, username="old@acme.example").status_code == 200


def test_other_nodes_do_not_take_over_while_an_answer_cannot_be_read(two_answers, cannot_open):
    old, _ = two_answers
    Credential.objects.update(sent_at=Now() - timedelta(hours=1))
    cannot_open(AttemptId(old.pk, old.generation).path)

    loop.run_once()

    assert Credential.objects.filter(pk=old.pk, sent_at__gt=Now() - timedelta(minutes=1)).exists()


def test_a_damaged_answer_that_is_needed_stays_and_stops_the_refresh(owner, salesforce, two_answers):
    old, _ = two_answers
    path = AttemptId(old.pk, old.generation).path
    path.write_bytes(path.read_bytes()[:100])
    salesforce.reset_calls()

    answer = owner.post(ACCESS_TOKEN, username="old@acme.example")

    assert (answer.status_code, answer.json()["code"]) == (503, "SPOOL_UNREADABLE")
    assert salesforce.calls == []
    assert path.exists()


def test_registering_again_with_a_new_auth_url_goes_past_a_damaged_answer(owner, salesforce, two_answers):
    old, _ = two_answers
    AttemptId(old.pk, old.generation).path.write_bytes(b"damaged")
    url = salesforce.orgs[0].auth_url(salesforce.apps["AcmeCI"])

    assert owner.post(REGISTER, {"sfdxAuthUrl": url}).status_code == 201

    assert owner.post(ACCESS_TOKEN, username="old@acme.example").status_code == 200


# --- A process that died before Salesforce answered -----------------------------------------------------


@pytest.fixture
def died_in_flight(rotating, settings) -> Credential:
    """A credential whose refresh a process of this node had begun when it was killed."""
    settings.REFRESH_LOCK_SECONDS, settings.TAKEOVER_SECONDS = 300, 600
    credential = Credential.objects.get()
    assert refresh_lock.acquire_for_refresh(credential.pk, credential.generation)
    AttemptId(credential.pk, credential.generation).path.write_bytes(bytes(spool.ROOM_BYTES))
    return credential


def test_the_lock_of_a_process_that_died_is_taken_over_at_once(owner, salesforce, rotating, died_in_flight):
    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)


def test_the_lock_of_a_process_at_work_is_not_taken_over(owner, died_in_flight, settings):
    settings.SALESFORCE_TIMEOUT_SECONDS = 0.1
    [path] = spool.files()
    with spool.lock_abandoned(path):
        answer = owner.post(ACCESS_TOKEN, username="ci@acme.example")

        assert (answer.status_code, answer.json()["code"]) == (503, "REFRESH_IN_PROGRESS")


def test_a_lock_that_was_taken_to_delete_is_left_alone(died_in_flight):
    credential = Credential.objects.get()
    Credential.objects.update(locked_until=None)
    with refresh_lock.hold_locks() as locks:
        assert locks.acquire(credential)
        Credential.objects.update(sent_at=Now() - timedelta(seconds=5))

        replay()

        assert Credential.objects.get().locked_until == credential.locked_until


# --- A response that comes late ----------------------------------------------------------------------------


@pytest.fixture
def awaited(rotating) -> SpoolFile:
    """The file of an attempt whose caller was answered 504, while its response may still come."""
    credential = Credential.objects.get()
    file = SpoolFile.reserve(AttemptId(credential.pk, credential.generation))
    Credential.objects.update(
        generation=credential.generation + 1,
        sent_at=Now(),
        sent_by=spool.node_id(),
        unanswered_since=credential.generation,
        health="uncertain",
        rotates=True,
    )
    return file


def _late_response(salesforce) -> TokenResponse:
    """Refresh at Salesforce; nothing of it is written anywhere."""
    credential = Credential.objects.get()
    with salesforce_slot(credential.pk) as client:
        return client.refresh(decrypt_grant(credential).auth_url)


@pytest.mark.parametrize("is_committed", [False, True], ids=["spooled", "written to the credential"])
def test_a_response_that_comes_between_arriving_and_refreshing_is_used(
    owner, salesforce, rotating, awaited, monkeypatch, is_committed
):
    grant, answer = decrypt_grant(Credential.objects.get()), _late_response(salesforce)
    salesforce.reset_calls()
    arrive = sessions._load

    def arrive_before_the_response(credential: Credential, *, is_current: bool) -> Credential:
        monkeypatch.setattr(sessions, "_load", arrive)
        arrived = arrive(credential, is_current=is_current)
        if is_committed:
            attempts._keep_late(awaited, grant, answer)
        else:
            with awaited:
                awaited.write(to_text(attempts._read(grant, answer)))
        return arrived

    monkeypatch.setattr(sessions, "_load", arrive_before_the_response)

    reply = owner.post(ACCESS_TOKEN, username="ci@acme.example")

    assert reply.status_code == 200, reply
    assert salesforce.refreshes() == 0, "the late response is newer than the caller"
    assert salesforce.is_alive(rotating)
    assert spool.files() == []


def test_a_late_response_reaches_the_database_when_the_disk_fails(owner, salesforce, rotating, awaited, monkeypatch):
    grant, answer = decrypt_grant(Credential.objects.get()), _late_response(salesforce)

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", broken)
        attempts._keep_late(awaited, grant, answer)

    assert owner.post(ACCESS_TOKEN, username="ci@acme.example").status_code == 200
    assert salesforce.is_alive(rotating)
    assert spool.files() == []


def test_a_new_token_whose_credential_was_deleted_is_revoked(owner, salesforce, rotating, folder):
    leave_an_answer(Credential.objects.get())
    owner.delete(ORG, username="ci@acme.example")

    replay()

    assert not salesforce.is_alive(rotating)
    assert [path.name for path in spool.files()] == []
