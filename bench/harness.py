"""What the benchmarks share: a desk of their own with an emulated Salesforce, callers, percentiles."""

import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from orgs.salesforce.emulator import Emulator
from tests.support.live_server import Desk, Reply, live_desk

ACCESS_TOKEN = "/sfp/api/auth/salesforce/access-token"
REGISTER = "/sfp/api/auth/salesforce/register"

# tests/support/live_server.py learns from them on which kind of database a desk shall stand.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


@contextmanager
def a_desk_with_salesforce(world: Emulator, *, processes: int, **settings: str) -> Iterator[Desk]:
    """Open a desk over a new database: SQLite, or PostgreSQL when DATABASE_URL names one.

    The login budget is the highest that a desk takes: a benchmark asks for more tokens than people do.
    """
    settings = {"LOGIN_BUDGET_PER_HOUR": "3600"} | settings
    with (
        tempfile.TemporaryDirectory() as folder,
        world.serve() as salesforce,
        live_desk(Path(folder), salesforce.url, processes=processes, **settings) as desk,
    ):
        yield desk


def register(desk: Desk, auth_url: str) -> None:
    """Register an org, or end the benchmark."""
    reply = desk.send("POST", REGISTER, {"sfdxAuthUrl": auth_url})
    if reply.status != 201:
        raise SystemExit(f"An org could not be registered: {reply.text}")


@dataclass
class Sample:
    """The answers to one kind of request: how long each took, in seconds, and the statuses.

    `reused` counts tokens that were given again because the login budget was spent: there must be none.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    reused: int = 0

    def add(self, reply: Reply) -> None:
        """Take one answer. Threads may do so at once."""
        self.seconds.append(reply.seconds)
        self.statuses[reply.status] += 1
        self.reused += "X-Token-Source" in reply.headers

    def at(self, percent: float) -> float:
        """Return the time within which so many percent were answered, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    def figures(self) -> dict[str, Any]:
        """Return the figures as JSON takes them."""
        statuses = {str(status): count for status, count in sorted(self.statuses.items())}
        return {
            "requests": len(self.seconds),
            "p50_ms": round(self.at(50), 1),
            "p99_ms": round(self.at(99), 1),
            "statuses": statuses,
        }


class Load:
    """Threads that each send one request after the other until they are told to stop."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._broken: list[BaseException] = []

    def add(self, workers: int, send: Callable[[int], Reply], sample: Sample, *, pause: float = 0.0) -> None:
        """Start workers. Each calls `send` with its own rising number, and heeds a Retry-After."""
        for number in range(workers):
            thread = threading.Thread(target=self._work, args=(number, workers, send, sample, pause), daemon=True)
            self._threads.append(thread)
            thread.start()

    def run(self, seconds: float) -> None:
        """Let the workers work for so long; then wait for their last answers."""
        time.sleep(seconds)
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        if self._broken:
            raise SystemExit(f"A caller got no answer: {self._broken[0]!r}")

    def _work(self, number: int, step: int, send: Callable[[int], Reply], sample: Sample, pause: float) -> None:
        try:
            while not self._stop.is_set():
                reply = send(number)
                sample.add(reply)
                number += step
                self._stop.wait(float(reply.headers.get("Retry-After", pause)))
        except OSError as error:
            self._broken.append(error)


def circumstances() -> dict[str, Any]:
    """Return what a figure is worth little without: the database, the cores, and what else runs on them."""
    return {
        "database": connection.vendor,
        "cores": os.cpu_count(),
        "load_average": [round(each, 2) for each in os.getloadavg()],
    }


def show_json(report: dict[str, Any]) -> None:
    """Print a report as one JSON document."""
    print(json.dumps(report, indent=2))
