"""`manage.py check_connections [USERNAME ...] [--json] [--side-by-side N]`."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from authn.errors import AuditUnavailable
from authn.principals import system
from orgs.connection_report import Checked, UnknownOrgs, check_connections, orgs_named
from orgs.credentials.errors import OrgError
from orgs.models import SalesforceOrg

_SIDE_BY_SIDE = 8
_DEAD, _COULD_NOT_CHECK, _INTERRUPTED = 1, 2, 130
# What does not go to a terminal is not folded: grep wants one line for each org.
_WIDE = 10_000


class Command(BaseCommand):
    """Checks the connections to all registered orgs, or to some."""

    help = (
        "Ask Salesforce whether the stored credentials still work, and show what is wrong with those that do not. "
        "Exit code 0: none is dead. 1: one is dead, which means that Salesforce refuses its credential for good, "
        "or that it cannot be used: an owner must act. Other trouble, such as maintenance or no network, is shown "
        "and does not count. 2: the check could not be made. 130: it was interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("names", nargs="*", metavar="USERNAME", help="Or a sandbox name. None: all orgs.")
        parser.add_argument("--json", action="store_true", help="Print one JSON document in place of a table.")
        parser.add_argument(
            "--side-by-side",
            type=int,
            default=_SIDE_BY_SIDE,
            metavar="N",
            help=f"How many orgs to ask at a time ({_SIDE_BY_SIDE}); never more than half of WEB_THREADS.",
        )

    def handle(self, *_: Any, names: list[str], side_by_side: int, **options: Any) -> None:
        """Check, print, and end with 1 when a connection is dead."""
        if side_by_side < 1:
            raise CommandError("--side-by-side must be at least 1.", returncode=_COULD_NOT_CHECK)
        try:
            checked = _check(orgs_named(names), side_by_side)
        except (UnknownOrgs, OrgError) as error:
            raise CommandError(str(error), returncode=_COULD_NOT_CHECK) from error
        except AuditUnavailable as error:
            raise CommandError(str(error), returncode=_COULD_NOT_CHECK) from error
        except Error as error:
            raise CommandError("The database does not answer.", returncode=_COULD_NOT_CHECK) from error
        except OSError as error:
            raise CommandError("SPOOL_DIR cannot be read.", returncode=_COULD_NOT_CHECK) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted; nothing is reported.", returncode=_INTERRUPTED) from None
        if options["json"]:
            self.stdout.write(json.dumps(_document(checked), indent=2))
        else:
            self._print(checked)
        if any(each.is_dead for each in checked):
            sys.exit(_DEAD)

    def _print(self, checked: list[Checked]) -> None:
        is_terminal = self.stdout.isatty()
        console = Console(width=None if is_terminal else _WIDE, force_terminal=is_terminal, highlight=False)
        dead = sum(each.is_dead for each in checked)
        trouble = sum(each.error is not None for each in checked) - dead
        with console.capture() as printed:
            if checked:
                console.print(_table(checked))
            console.print(f"{len(checked)} checked: {dead} dead, {trouble} in other trouble.")
        self.stdout.write(printed.get())


def _check(orgs: list[SalesforceOrg], side_by_side: int) -> list[Checked]:
    """Check the orgs under a progress bar, on standard error and on a terminal only."""
    columns = (TextColumn("Checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(orgs))
        by = system("check_connections")
        return check_connections(orgs, by=by, side_by_side=side_by_side, tell=lambda: progress.advance(task))


def _table(checked: list[Checked]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("USERNAME", "KIND", "STATE", "REASON", "WHAT TO DO"):
        table.add_column(title, overflow="fold")
    for each in checked:
        reason, action = (each.error.code, each.error.action) if each.error else ("", "")
        # As Text: a name may hold what rich takes for markup.
        table.add_row(*map(Text, (each.org.username, each.org.kind, each.state, reason, action)))
    return table


def _document(checked: list[Checked]) -> dict[str, Any]:
    return {
        "checked": len(checked),
        "dead": sum(each.is_dead for each in checked),
        "orgs": [
            {
                "username": each.org.username,
                "isValid": each.error is None,
                "state": each.state,
                "code": each.error.code if each.error else None,
                "error": str(each.error) if each.error else None,
                "action": each.error.action if each.error else None,
                "checkedAt": each.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            }
            for each in checked
        ],
    }
