"""Shows what a change did: one line per field, with its value before and after."""

import json
from dataclasses import dataclass

from authn.models import AuditEvent
from authn.web.safe_text import escaped


@dataclass(frozen=True, slots=True)
class ChangedField:
    """A field of a change, as texts. An empty text stands for a value that is missing or empty."""

    name: str
    before: str
    after: str


def changed_fields(event: AuditEvent) -> list[ChangedField]:
    """Return the changed fields of a row, in the order in which they were recorded."""
    changes = event.changes or {}
    return [
        ChangedField(escaped(name), _text(values.get("before")), _text(values.get("after")))
        for name, values in changes.items()
    ]


def _text(value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escaped(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
