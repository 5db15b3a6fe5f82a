"""`manage.py sweep [--every SECONDS] [--confirm NAME]`."""

import logging
import signal
import threading
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from authn.maintenance import Sweep, TooManyDue, run_sweep, sweeps

logger = logging.getLogger("frontdesk.sweep")


class Command(BaseCommand):
    """Runs every sweep, once or at an interval until SIGTERM or SIGINT."""

    help = "Delete expired rows. Run it once from a timer, or with --every as a separate process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="Keep running, and sweep at this interval.")
        parser.add_argument("--confirm", metavar="NAME", help="Run only this sweep, without its limit on rows.")

    def handle(self, *_: object, every: float | None, confirm: str | None, **__: object) -> None:
        """Run the sweeps."""
        if confirm is not None:
            _run_confirmed(confirm)
            return
        if every is None:
            outcomes = [_run(sweep) for sweep in sweeps()]
            if not all(outcomes):
                raise CommandError("A sweep failed. See the log.")
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


def _run_confirmed(name: str) -> None:
    named = [sweep for sweep in sweeps() if sweep.name == name]
    if not named:
        raise CommandError(f"No sweep has this name. The sweeps are: {', '.join(sweep.name for sweep in sweeps())}.")
    if not _run(named[0], confirmed=True):
        raise CommandError("The sweep failed. See the log.")


def _run(sweep: Sweep, *, confirmed: bool = False) -> bool:
    """Run one sweep. Returns False after a failure of any kind, which is logged and does not stop other sweeps."""
    try:
        rows = run_sweep(sweep, confirmed=confirmed)
    except TooManyDue as refusal:
        logger.error("The sweep %s was refused. %s", sweep.name, refusal)
        return False
    except Exception:
        logger.exception("The sweep %s failed.", sweep.name)
        return False
    if rows:
        logger.info("The sweep %s processed %d rows.", sweep.name, rows)
    return True
