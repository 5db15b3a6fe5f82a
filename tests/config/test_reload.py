"""SIGHUP: a real desk reads its changed file of settings again, and goes on as it was when the file is refused."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment
from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ORG, REGISTER, an_org
from tests.support.live_server import Desk, Reply, live_desk

CANARY = "canary-in-a-file"
SKIP = {"sfdxAuthUrl": "force://PlatformCLI::5Aep861abc@other.my.salesforce.com", "skipValidation": True}


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    file: Path = tmp_path_factory.mktemp("settings") / "env"
    file.write_text("ALLOW_SKIP_VALIDATION=false\n")
    return file


@pytest.fixture(scope="module")
def desk(tmp_path_factory, django_db_setup, django_db_blocker, file) -> Iterator[Desk]:
    """A desk whose file says that nothing may be registered unseen, and whose environment that auth URLs may go out."""
    salesforce = Emulator()
    org = an_org(salesforce)
    with (
        django_db_blocker.unblock(),
        salesforce.serve() as served,
        live_desk(
            tmp_path_factory.mktemp("desk"), served.url, ENV_FILE=str(file), ALLOW_AUTH_URL_RELEASE="true"
        ) as desk,
    ):
        assert desk.send("POST", REGISTER, {"sfdxAuthUrl": org.auth_url()}).status == 201
        yield desk


def _reload(desk: Desk) -> None:
    desk.running[0].send_signal(signal.SIGHUP)


def _until(is_so: Callable[[], bool], desk: Desk) -> None:
    ends = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends, desk.logs()
        time.sleep(0.1)


def _register_unseen(desk: Desk) -> Reply:
    return desk.send("POST", REGISTER, SKIP | {"username": "unseen@acme.example"})


def test_a_changed_file_is_in_effect_after_a_reload_and_real_variables_still_win(desk, file):
    assert _register_unseen(desk).status == 400

    file.write_text("ALLOW_SKIP_VALIDATION=true\nALLOW_AUTH_URL_RELEASE=false\n")
    _reload(desk)
    _until(lambda: _register_unseen(desk).status == 201, desk)

    assert desk.send("GET", f"{ORG}?username=ci@acme.example&authType=sfdxAuthUrl").status == 200


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"WEB_THREADS={CANARY}", "WEB_THREADS must be a whole number, such as 10."),
        ("TAKEOVER_SECONDS=1", "(orgs.E010) TAKEOVER_SECONDS must exceed REFRESH_LOCK_SECONDS"),
        (f"AUDIT_KEY = {CANARY}", "must be NAME=VALUE"),
    ],
    ids=["no number", "refused by a check", "no assignment"],
)
def test_a_file_that_is_refused_changes_nothing_and_the_log_says_why(desk, file, line, reason):
    before = desk.logs().count("The changed settings are invalid")

    file.write_text(f"ALLOW_SKIP_VALIDATION=true\n{line}\n")
    _reload(desk)
    _until(lambda: desk.logs().count("The changed settings are invalid") > before, desk)

    assert reason in desk.logs()
    assert CANARY not in desk.logs()
    assert desk.send("GET", "/readyz", bearer="").status == 200
    assert desk.running[0].poll() is None


def test_a_file_is_kept_out_of_the_environment_of_the_process(file, monkeypatch):
    file.write_text('# a comment\n\nexport A_QUOTED="two words"\nB_REAL=file\n')
    monkeypatch.setenv("B_REAL", "process")
    monkeypatch.delenv("A_QUOTED", raising=False)

    env = Environment().over_file(str(file))

    assert (env.str("A_QUOTED"), env.str("B_REAL")) == ("two words", "process")
    with pytest.raises(ImproperlyConfigured):
        Environment().str("A_QUOTED")


def test_a_missing_file_sets_nothing(tmp_path):
    assert Environment().over_file(str(tmp_path / "none")).str("A_NAME", default="") == ""


@pytest.mark.parametrize("content", [b"A: canary\n", b"A=1\n B=canary\n", b"A=1\n\nB = canary\n", b"A=canary\xff\n"])
def test_a_line_that_sets_nothing_is_refused_without_being_shown(tmp_path, content):
    (tmp_path / "env").write_bytes(content)

    with pytest.raises(ImproperlyConfigured) as refusal:
        Environment().over_file(str(tmp_path / "env"))

    assert str(tmp_path / "env") in str(refusal.value)
    assert "canary" not in str(refusal.value)
