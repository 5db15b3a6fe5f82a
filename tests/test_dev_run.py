"""`python3 dev.py run`, as a newcomer runs it: every command that it prints works."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
START_SECONDS = 60

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project beside the installed environment, so that an existing demo is not changed."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("dev.py", "manage.py", "requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("dev_commands", "config", "authn", "orgs", "sandboxes", "templates", "static"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return folder


@pytest.fixture(scope="module")
def desk(checkout: Path) -> Iterator[str]:
    """A running desk; gives what it printed."""
    port, emulator_port = _free_ports()
    older = checkout / ".demo" / "older.log"  # Of an earlier start, which left its files open to others.
    older.parent.mkdir(mode=0o755)
    older.touch(mode=0o644)
    command = [sys.executable, "dev.py", "run", "--port", str(port), "--emulator-port", str(emulator_port)]
    log = checkout / "run.log"
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("w") as out:
        running = subprocess.Popen(command, cwd=checkout, env=environment, stdout=out, stderr=out)
    until = time.monotonic() + START_SECONDS
    while "\nReady." not in log.read_text() and running.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    try:
        assert "\nReady." in log.read_text(), log.read_text()
        yield log.read_text()
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0, log.read_text()


def test_every_line_that_it_prints_works(desk, checkout):
    lines = re.findall(r"^  (curl .*)$", desk, re.MULTILINE)

    responses = [
        subprocess.run(
            ["bash", "-c", f"{line} -w '\\n%{{http_code}}'"], cwd=checkout, capture_output=True, text=True, timeout=30
        )
        for line in lines
    ]

    assert len(lines) >= 9
    for line, response in zip(lines, responses, strict=True):
        assert response.stdout.rpartition("\n")[2] in ("200", "201"), f"{line}\n{response.stdout}{response.stderr}"


def test_every_address_that_it_prints_leads_to_a_page(desk):
    addresses = re.findall(r"^  [A-Z][A-Za-z ]+ (http://localhost:\S+)", desk, re.MULTILINE)
    addresses += re.findall(r"documentation: (http://\S+)\)", desk)
    ask = ["curl", "-sS", "-L", "-H", "Accept: text/html", "-o", os.devnull, "-w", "%{http_code}"]

    responses = {
        address: subprocess.run([*ask, address], capture_output=True, text=True, timeout=30).stdout
        for address in addresses
        if "/" in address.removeprefix("http://")  # The emulator's root has no page.
    }

    assert len(responses) == 5
    assert set(responses.values()) == {"200"}, responses


def test_the_folder_of_the_demo_and_all_in_it_are_private(desk, checkout):
    demo = checkout / ".demo"

    open_to_others = [path.name for path in (demo, *demo.rglob("*")) if path.stat().st_mode & 0o077]

    assert open_to_others == []
    assert {"env", "frontdesk.sqlite3", "spool", "web.log", "older.log"} <= {path.name for path in demo.iterdir()}


def test_it_prints_no_secret(desk, checkout):
    token = (checkout / ".demo" / "application-token").read_text().strip()
    keys = re.findall(r"=(.{30,})$", (checkout / ".demo" / "env").read_text(), re.MULTILINE)

    assert token not in desk
    assert not [key for key in keys if key in desk and not key.startswith(("http", "sqlite"))]


def test_a_taken_port_is_named_with_the_option_that_changes_it(checkout):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "dev.py", "run", "--port", str(port)],
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert ended.returncode == 1
    assert "--port" in ended.stderr


def test_a_key_without_a_demo_says_what_to_do(tmp_path, checkout):
    shutil.copy(checkout / "dev.py", tmp_path)
    for folder in ("dev_commands", "config"):
        shutil.copytree(checkout / folder, tmp_path / folder)

    ended = subprocess.run(
        [sys.executable, "dev.py", "key", "owner"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 1
    assert "python3 dev.py run" in ended.stderr
