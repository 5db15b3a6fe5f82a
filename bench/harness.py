"""Shared by the benchmarks: a server with an emulated Salesforce, load threads, percentiles."""

import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from django.db import connection

from orgs.salesforce.emulator import Emulator
from tests.support.live_server import Desk, Reply, live_desk

ACCESS_TOKEN = "/sfp/api/auth/salesforce/access-token"
REGISTER = "/sfp/api/auth/salesforce/register"

# tests/support/live_server.py uses the kind of database that these settings select.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


@contextmanager
def serve_with_emulator(emulator: Emulator, *, processes: int, **settings: str) -> Iterator[Desk]:
    """Run web server processes over a new database: SQLite, or PostgreSQL if DATABASE_URL names one.

    The login budget is the highest allowed, as benchmarks refresh more often than real callers.
    """
    settings.setdefault("LOGIN_BUDGET_PER_HOUR", "3600")
    with (
        tempfile.TemporaryDirectory() as folder,
        emulator.serve() as salesforce,
        live_desk(Path(folder), salesforce.url, processes=processes, database=str, prepared=True, **settings) as desk,
    ):
        yield desk


def register(desk: Desk, auth_url: str) -> None:
    """Register an org. Raises SystemExit if that fails."""
    reply = desk.send("POST", REGISTER, {"sfdxAuthUrl": auth_url})
    if reply.status != 201:
        raise SystemExit(f"An org could not be registered: {reply.text}")


class Figures(TypedDict):
    """The figures of a sample, in milliseconds, with the number of responses by status."""

    requests: int
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]


class Circumstances(TypedDict):
    """What the figures depend on."""

    database: str
    cores: int | None
    load_average: list[float]


@dataclass
class Sample:
    """The responses to one kind of request: the duration of each in seconds, and the statuses.

    `reused` counts the tokens reused because the login budget was spent. There must be none.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    reused: int = 0

    def add(self, reply: Reply) -> None:
        """Add a response. Safe to call from several threads."""
        self.seconds.append(reply.seconds)
        self.statuses[reply.status] += 1
        self.reused += "X-Token-Source" in reply.headers

    def percentile(self, percent: float) -> float:
        """Return the percentile of the durations, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def figures(self) -> Figures:
        """Return the figures of the report."""
        statuses = {str(status): count for status, count in sorted(self.statuses.items())}
        return {
            "requests": len(self.seconds),
            "p50_ms": round(self.percentile(50), 1),
            "p99_ms": round(self.percentile(99), 1),
            "statuses": statuses,
        }


class Load:
    """Threads that each send requests in sequence until `run` ends."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def add(self, workers: int, send: Callable[[int], Reply], sample: Sample, *, pause: float = 0.0) -> None:
        """Start workers. Each calls `send` with its own increasing number, and honours Retry-After."""
        for number in range(workers):
            thread = threading.Thread(target=self._work, args=(number, workers, send, sample, pause), daemon=True)
            self._threads.append(thread)
            thread.start()

    def run(self, seconds: float) -> None:
        """Run for this time, then wait for the last responses. Raises SystemExit if a request failed."""
        time.sleep(seconds)
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        if self._errors:
            raise SystemExit(f"A request failed: {self._errors[0]!r}")

    def _work(self, number: int, step: int, send: Callable[[int], Reply], sample: Sample, pause: float) -> None:
        try:
            while not self._stop.is_set():
                reply = send(number)
                sample.add(reply)
                number += step
                self._stop.wait(float(reply.headers.get("Retry-After", pause)))
        except OSError as error:
            self._errors.append(error)


def circumstances() -> Circumstances:
    """Return the database, the number of cores and the load average of this machine."""
    return {
        "database": connection.vendor,
        "cores": os.cpu_count(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }


def show_json(report: Mapping[str, object]) -> None:
    """Print a report as a JSON document."""
    print(json.dumps(report, indent=2))
