"""Audit rows as CSV, safe from formula injection."""

import csv
import io
import json
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from authn.audit_actions import TargetKind
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
    "target_kind",
    "target_id",
    "target_label",
    "changes",
    "attempt_at",
)
# The targets that `org_username` shows: before there were other targets, it was the column for them.
_ORGS = (TargetKind.ORG, TargetKind.POOL_INSTANCE)
# What makes a spreadsheet read a cell as a formula (OWASP, CSV injection).
# Tab and line breaks do the same, and are escaped.
_STARTS_A_FORMULA = ("=", "+", "-", "@")


def lines(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """Yield the header and one line per row, newest first, reading the rows in blocks.

    `attempt_at` is the time at which the refresh that the row completes was sent to Salesforce.
    """
    yield _line(_COLUMNS)
    rest = events.select_related("attempt__attempt").order_by("-pk")
    while block := list(rest[:_BLOCK]):
        for event in block:
            yield _line([guarded(_text(event, column)) for column in _COLUMNS])
        rest = rest.filter(pk__lt=block[-1].pk)


def guarded(cell: str) -> str:
    """Return a cell that is not read as a formula, with unsafe characters escaped."""
    cell = escaped(cell)
    return f"'{cell}" if cell.startswith(_STARTS_A_FORMULA) else cell


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _text(event: AuditEvent, column: str) -> str:
    if column == "at":
        return event.at.isoformat(timespec="milliseconds")
    if column == "org_username":
        return event.target_label if event.target_kind in _ORGS else ""
    if column == "attempt_at":
        attempt = event.attempt and (event.attempt.attempt or event.attempt)
        return attempt.at.isoformat(timespec="milliseconds") if attempt else ""
    if column in ("details", "changes"):
        value = getattr(event, column)
        return json.dumps(value, ensure_ascii=False) if value else ""
    return str(getattr(event, column))
