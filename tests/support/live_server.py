"""Real desks: web server processes on loopback over one database, with the emulator behind them."""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import psycopg
from django.db import connection

from tests.support import documented_api

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "correct-horse-battery-staple"
_START_SECONDS = 40


class RefreshTimes(TypedDict):
    """Settings of a desk that limit how long a refresh and its takeover last, in seconds."""

    SALESFORCE_TIMEOUT_SECONDS: str
    REFRESH_LOCK_SECONDS: str
    TAKEOVER_SECONDS: str


@dataclass
class Reply:
    """A response of a desk, and after how many seconds it came."""

    status: int
    headers: dict[str, str]
    text: str
    seconds: float

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Desk:
    """One or more web server processes, each on a port of its own, over one database and spool."""

    folder: Path
    environment: dict[str, str]
    ports: list[int] = field(default_factory=list)
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    owner: str = ""
    application: str = ""

    def manage(self, *arguments: str, **more: str) -> str:
        """Run a management command and return what it printed."""
        ended = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | more,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def start(self, count: int = 1, *, until: str = "/readyz", **settings: str) -> None:
        """Start web server processes, with settings of their own, and wait until `until` responds with 200."""
        for _ in range(count):
            port = _free_port()
            with (self.folder / f"web-{port}.log").open("wb") as log:
                command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", f"127.0.0.1:{port}"]
                self.running.append(
                    subprocess.Popen(
                        [*command, "--workers", "1", "config.wsgi"],
                        cwd=ROOT,
                        env=self.environment | settings,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
            self.ports.append(port)
        for port in self.ports:
            self._wait_for(port, until)

    def prepare(self) -> None:
        """Migrate an empty database, and make an owner and an application token."""
        self.manage("migrate", "--verbosity", "0")
        people = {"DJANGO_SUPERUSER_EMAIL": "owner@acme.example", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        self.manage("createsuperuser", "--noinput", **people)
        self.application = self.manage("issue_application_token", "ci")

    def log_in(self) -> None:
        """Get the bearer of the owner."""
        login = {"email": "owner@acme.example", "password": PASSWORD}
        self.owner = self.send("POST", "/sfp/api/auth/admin/login", login, bearer="").json()["access_token"]

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        bearer: str | None = None,
        port: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request over a connection of its own. Fails if the API's document does not allow the response."""
        began = time.monotonic()
        line = http.client.HTTPConnection("127.0.0.1", port or self.ports[0], timeout=60)
        try:
            bearer = self.owner if bearer is None else bearer
            sent = {"Content-Type": "application/json", "Host": "localhost"} | (headers or {})
            sent |= {"Authorization": f"Bearer {bearer}"} if bearer else {}
            line.request(method, path, None if body is None else json.dumps(body), sent)
            response = line.getresponse()
            content = response.read()
            seconds = time.monotonic() - began
            received = dict(response.headers.items())
            documented_api.check(method, path, response.status, received, content)
            return Reply(response.status, received, content.decode(), seconds)
        finally:
            line.close()

    def kill(self) -> None:
        """Kill all processes as a power cut would: no signal handler runs."""
        for process in self.running:
            os.killpg(process.pid, signal.SIGKILL)
        self._forget()

    def stop(self) -> None:
        """End all processes in order."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self._forget()

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in self.folder.glob("web-*.log"))

    def _forget(self) -> None:
        for process in self.running:
            process.wait(20)
        self.running, self.ports = [], []

    def _wait_for(self, port: int, path: str) -> None:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            try:
                if self.send("GET", path, bearer="", port=port).status == 200:
                    return
            except OSError:
                pass
            assert all(process.poll() is None for process in self.running), self.logs()
            time.sleep(0.1)
        raise AssertionError(self.logs())


@contextmanager
def live_desk(
    folder: Path,
    salesforce_url: str,
    *,
    processes: int = 1,
    database: Callable[[str], str] = lambda url: url,
    prepared: bool = True,
    **settings: str,
) -> Iterator[Desk]:
    """Open a desk over a database of its own, of the kind that this test run is on.

    `database` may turn the database's address into another one that leads there. With `prepared`
    it is a copy of one that was prepared by the first desk, which takes seconds.
    """
    template, application = _template() if prepared else ("", "")
    with a_database(folder, template) as database_url:
        desk = Desk(folder, environment_of(folder, salesforce_url, database(database_url)) | settings)
        desk.application = application
        if not prepared:
            desk.prepare()
        desk.start(processes)
        try:
            desk.log_in()
            yield desk
        finally:
            desk.stop()


def environment_of(folder: Path, salesforce_url: str, database_url: str) -> dict[str, str]:
    keys = {
        name: f"{name.lower()}-{'k' * 40}" for name in ("SECRET_KEY", "FERNET_KEYS", "JWT_SIGNING_KEY", "AUDIT_KEY")
    }
    return keys | {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DEMO": "true",
        "PUBLIC_URL": "http://localhost:8000",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "SALESFORCE_GATEWAY": salesforce_url,
        "DATABASE_URL": database_url,
        "SPOOL_DIR": str(folder / "spool"),
    }


@cache
def _template() -> tuple[str, str]:
    """Return the address of a prepared database, which lives as long as this process, and the application's token."""
    kept = ExitStack()
    atexit.register(kept.close)
    folder = Path(kept.enter_context(tempfile.TemporaryDirectory()))
    url = kept.enter_context(a_database(folder))
    desk = Desk(folder, environment_of(folder, "http://127.0.0.1:9", url))
    desk.prepare()
    return url, desk.application


@contextmanager
def a_database(folder: Path, template: str = "") -> Iterator[str]:
    """Make a database of the kind that this test run is on: an empty one, or a copy of the one at `template`."""
    if connection.vendor == "sqlite":
        path = folder / "desk.sqlite3"
        if template:
            shutil.copy(template.removeprefix("sqlite:///"), path)
        yield f"sqlite:///{path}"
        return
    of = connection.settings_dict
    name = f"{of['NAME']}_{uuid.uuid4().hex[:8]}"
    password = f":{of['PASSWORD']}" if of["PASSWORD"] else ""
    server = f"postgres://{of['USER']}{password}@{of['HOST']}:{of['PORT'] or 5432}"
    copied = f' TEMPLATE "{template.rpartition("/")[2]}"' if template else ""
    # The tests' own database may be gone before this one.
    with psycopg.connect(f"{server}/postgres", autocommit=True) as administrator:
        administrator.execute(f'CREATE DATABASE "{name}"{copied}')
        try:
            yield f"{server}/{name}"
        finally:
            administrator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
