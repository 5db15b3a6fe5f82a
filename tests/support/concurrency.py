"""Lets several callers do something at the same moment, each in a thread with its own connection."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def run_together(deeds: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all deeds at once and return what they return, in order."""
    barrier = threading.Barrier(len(deeds))

    def run(submit_label: Callable[[], Result]) -> Result:
        try:
            barrier.wait(timeout=30)
            return submit_label()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))
