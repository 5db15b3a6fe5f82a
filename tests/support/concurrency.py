"""Makes calls at the same moment, each in a thread with its own connection, and waits for what threads do."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def run_together(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Make all calls at once and return their results, in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        try:
            barrier.wait(timeout=30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def wait_until(happened: Callable[[], object], *, seconds: float = 30) -> None:
    """Return as soon as `happened()` is true; fail after some seconds."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
