"""`manage.py check_connections [USERNAME ...] [--json] [--side-by-side N]`."""

import json
import sys
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import Error
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from authn.errors import AuditUnavailable
from authn.principals import system
from orgs.connections.report import CheckedOrg, UnknownOrgs, check_connections, orgs_named
from orgs.credentials.errors import OrgError
from orgs.models import SalesforceOrg

_CONCURRENCY = 8
# Exit codes.
_NEEDS_OWNER, _NOT_CHECKED, _INTERRUPTED = 1, 2, 130
# In columns. Output to a file or pipe has one line for each org, for grep.
_UNFOLDED = 10_000


class Command(BaseCommand):
    """Tests the connections of all registered orgs, or of the named ones."""

    help = (
        "Test the stored credentials at Salesforce, and list the errors with what to do. "
        "Exit code 0: no credential failed permanently. 1: at least one did: Salesforce rejects it, or it cannot be "
        "decrypted, and an owner must act. Temporary errors, such as maintenance or a network failure, are listed "
        "and do not change the exit code. 2: the test could not run. 130: it was interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "names",
            nargs="*",
            metavar="USERNAME",
            help="Username or sandbox name of a registered org; all orgs if omitted.",
        )
        parser.add_argument("--json", action="store_true", help="Print a JSON document instead of a table.")
        parser.add_argument(
            "--side-by-side",
            dest="concurrency",
            type=int,
            default=_CONCURRENCY,
            metavar="N",
            help=f"Number of orgs tested at a time (default: {_CONCURRENCY}), at most half of WEB_THREADS.",
        )

    def handle(self, *_: object, names: list[str], concurrency: int, **options: object) -> None:
        """Test the connections and print the result. Exits with 1 if one needs an owner."""
        if concurrency < 1:
            raise CommandError("--side-by-side must be at least 1.", returncode=_NOT_CHECKED)
        try:
            checked = _check(orgs_named(names), concurrency)
        except (UnknownOrgs, OrgError) as error:
            raise CommandError(str(error), returncode=_NOT_CHECKED) from error
        except AuditUnavailable as error:
            raise CommandError(str(error), returncode=_NOT_CHECKED) from error
        except Error as error:
            raise CommandError("The database is not reachable. Check DATABASE_URL.", returncode=_NOT_CHECKED) from error
        except OSError as error:
            raise CommandError("SPOOL_DIR cannot be read. Check its permissions.", returncode=_NOT_CHECKED) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: no result is printed. Run it again.", returncode=_INTERRUPTED) from None
        if options["json"]:
            self.stdout.write(json.dumps(_document(checked), indent=2))
        else:
            self._print(checked)
        if any(each.needs_owner for each in checked):
            sys.exit(_NEEDS_OWNER)

    def _print(self, checked: list[CheckedOrg]) -> None:
        is_terminal = self.stdout.isatty()
        console = Console(width=None if is_terminal else _UNFOLDED, force_terminal=is_terminal, highlight=False)
        permanent = sum(each.needs_owner for each in checked)
        other = sum(each.error is not None for each in checked) - permanent
        with console.capture() as captured:
            if checked:
                console.print(_table(checked))
            console.print(f"{len(checked)} checked: {permanent} failed permanently, {other} other errors.")
        self.stdout.write(captured.get())


def _check(orgs: list[SalesforceOrg], concurrency: int) -> list[CheckedOrg]:
    """Test the orgs, with a progress bar on standard error if that is a terminal."""
    columns = (TextColumn("Checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(orgs))
        by = system("check_connections")
        return check_connections(orgs, by=by, concurrency=concurrency, on_progress=lambda: progress.advance(task))


def _table(checked: list[CheckedOrg]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("USERNAME", "KIND", "STATE", "REASON", "WHAT TO DO"):
        table.add_column(title, overflow="fold")
    for each in checked:
        reason, action = (each.error.code, each.error.action) if each.error else ("", "")
        # As Text: a name may contain rich markup.
        table.add_row(*map(Text, (each.org.username, each.org.kind, each.state, reason, action)))
    return table


def _document(checked: list[CheckedOrg]) -> dict[str, object]:
    return {
        "checked": len(checked),
        "dead": sum(each.needs_owner for each in checked),
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
