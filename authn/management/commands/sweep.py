"""`manage.py sweep [--every SECONDS]`."""

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, close_old_connections

from authn.sweeping import Sweep, sweeps

logger = logging.getLogger("frontdesk.sweep")


class Command(BaseCommand):
    """Runs every sweep: once, or again and again until it is told to stop."""

    help = "Delete what has expired. Run it once from a timer, or with --every as a process of its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="Do not end; sweep at this interval.")

    def handle(self, *_: Any, every: float | None, **__: Any) -> None:
        """Sweep."""
        if every is None:
            outcomes = [_run(sweep) for sweep in sweeps()]
            if not all(outcomes):
                raise CommandError("A sweep failed; the log tells which.")
            return
        if every < 1:
            raise CommandError("--every must be at least 1 second.")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            for sweep in sweeps():
                _run(sweep)
            close_old_connections()
            stop.wait(every)


def _run(sweep: Sweep) -> bool:
    """Run one sweep; a database or disk that is away for a while ends it, and not the others."""
    try:
        rows = sweep.run()
    except (OperationalError, InterfaceError, OSError):
        logger.exception("The sweep %s failed.", sweep.name)
        return False
    if rows:
        logger.info("The sweep %s dealt with %d rows.", sweep.name, rows)
    return True
