"""The image, without Docker: the Dockerfile's own steps in an empty folder, up to a served page."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orgs.checks import MAX_SALESFORCE_TIMEOUT_SECONDS

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = (ROOT / "compose.yaml").read_text()
KEYS = {name: f"{name} of the image test {'x' * 32}" for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "AUDIT_KEY")}


def steps() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each with its text."""
    joined = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, text) for word, _, text in (line.partition(" ") for line in lines)]


def allowed() -> list[str]:
    """Return the names that .dockerignore lets into an image."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


class Image:
    """A folder that stands for the image's file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder
        # The `python` of the base image, whatever this one is called.
        (folder / "base").mkdir()
        (folder / "base" / "python").symlink_to(sys.executable)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DATABASE_"))}
        self.environment = kept | {"PATH": f"{folder / 'base'}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}
        for name in [*KEYS, "FERNET_KEYS", "ENV_FILE", "VIRTUAL_ENV"]:
            self.environment.pop(name, None)

    def follow(self, word: str, text: str) -> None:
        """Do one step of the Dockerfile. Steps that need Docker itself are left out."""
        if word == "WORKDIR":
            self.home = self.inside(text)
            self.home.mkdir(parents=True)
        elif word == "ENV":
            for name, value in (pair.split("=", 1) for pair in shlex.split(text)):
                parts = [str(self.inside(part)) if part.startswith("/") else part for part in value.split(":")]
                self.environment[name] = ":".join(parts).replace("$PATH", self.environment["PATH"])
        elif word == "COPY":
            self.copy(*text.split())
        elif word == "RUN":
            subprocess.run(["sh", "-ec", text], cwd=self.home, env=self.environment, check=True, timeout=240)
        else:
            assert word in ("FROM", "USER", "EXPOSE", "HEALTHCHECK", "CMD", "VOLUME"), f"teach this test {word}"

    def inside(self, path: str) -> Path:
        """Return where an absolute path of the image is."""
        return self.folder / path.lstrip("/")

    def copy(self, source: str, target: str) -> None:
        """Copy as Docker does, .dockerignore included."""
        assert target == "./"
        for name in allowed() if source == "." else [source]:
            if (ROOT / name).is_dir():
                leave = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, self.home / name, ignore=leave, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / name, self.home / name)


@contextmanager
def running(command: list[str], image: Image, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of the image until the block ends."""
    process = subprocess.Popen(
        command, cwd=image.home, env=image.environment | environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """Return a port of loopback on which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get_page(url: str, process: subprocess.Popen[bytes]) -> tuple[int, dict[str, str]]:
    """Return status and body of a page, as soon as the server gives one."""
    for _ in range(300):
        assert process.poll() is None, "the server has ended"
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not respond within 30 seconds")


def test_the_steps_of_the_dockerfile_build_a_running_desk(tmp_path: Path) -> None:
    image = Image(tmp_path)
    for word, text in steps():
        image.follow(word, text)
    port = free_port()
    command = json.loads(next(text for word, text in steps() if word == "CMD"))
    command = [part.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for part in command]
    program = str(image.home / ".venv" / "bin" / command[0])
    settings = KEYS | {
        "FERNET_KEYS": "f" * 48,
        "PUBLIC_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'desk.sqlite3'}",
    }

    check = json.loads(next(text for word, text in steps() if word == "HEALTHCHECK").partition(" CMD ")[2])
    check = [part.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for part in check]

    with running([program, *command[1:]], image, settings) as server:
        status, body = get_page(f"http://localhost:{port}/livez", server)
        health = subprocess.run(check, env=image.environment | settings, check=False, timeout=30)

    assert (status, body) == (200, {"status": "alive"})
    assert health.returncode == 0
    assert (image.home / "staticfiles").is_dir()


def test_the_image_contains_no_key_database_or_history() -> None:
    assert not {".env", ".git", ".demo", ".local", "tests"} & set(allowed())
    assert all((ROOT / name).exists() for name in allowed())


def test_the_image_does_not_run_as_root() -> None:
    user = next(text for word, text in steps() if word == "USER")

    assert not user.startswith(("0", "root"))


def test_compose_waits_longer_than_the_web_server_takes_to_stop():
    slowest = {"SALESFORCE_TIMEOUT_SECONDS": str(MAX_SALESFORCE_TIMEOUT_SECONDS), "PATH": os.environ["PATH"]}
    settings = KEYS | {"FERNET_KEYS": "f" * 40, "PUBLIC_URL": "http://localhost", "ALLOWED_HOSTS": "localhost"}
    command = [sys.executable, "-c", "from config import gunicorn; print(gunicorn.graceful_timeout)"]
    ended = subprocess.run(
        command, cwd=ROOT, env=slowest | settings | {"ENV_FILE": os.devnull}, capture_output=True, text=True, check=True
    )

    waits = re.findall(r"^    stop_grace_period: (\d+)s$", COMPOSE, re.MULTILINE)
    assert [int(seconds) >= int(ended.stdout) for seconds in waits] == [True]
