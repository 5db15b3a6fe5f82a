"""Writes audit rows as CSV that a spreadsheet shows and does not run."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from authn.models import AuditEvent
from authn.web.safe_text import escaped

_BLOCK = 2000
_COLUMNS = (
    "at",
    "action",
    "outcome",
    "code",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "org_username",
    "fingerprint",
    "request_id",
    "details",
)
# What makes a spreadsheet read a cell as a formula (OWASP, CSV injection).
# So do tab and line breaks, which are written out.
_STARTS_A_FORMULA = ("=", "+", "-", "@")


class _Line:
    """Takes what the csv module writes and gives it back."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """Yield a heading and a line for each row, newest first, read a block at a time."""
    writer: Any = csv.writer(_Line())
    yield writer.writerow(_COLUMNS)
    rest = events.order_by("-pk")
    while block := list(rest[:_BLOCK]):
        for event in block:
            yield writer.writerow([guarded(_text(event, column)) for column in _COLUMNS])
        rest = rest.filter(pk__lt=block[-1].pk)


def guarded(cell: str) -> str:
    """Return a cell that starts no formula, with unsafe characters written out."""
    cell = escaped(cell)
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def _text(event: AuditEvent, column: str) -> str:
    if column == "at":
        return event.at.isoformat(timespec="milliseconds")
    if column == "details":
        return json.dumps(event.details, ensure_ascii=False) if event.details else ""
    return str(getattr(event, column))
