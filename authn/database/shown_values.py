"""Refuses a change to a value that is no longer the one that a form showed."""

import json
from collections.abc import Mapping

from django.db.models import Model

# Values of a row by the name of their column, as a form showed them or shall store them.
Values = Mapping[str, object]


class ChangedMeanwhile(Exception):
    """Somebody else changed values after a form had shown them. `names` are their columns. Nothing was stored."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def differences(row: Model, wanted: Values, shown: Values | None = None) -> dict[str, object]:
    """Return the wanted values that differ from those of the row, which the caller has locked.

    `shown` holds what the form showed in their place; None if the caller saw no values, as in the API. Raises
    ChangedMeanwhile if the row no longer has a shown value, even if it has the wanted one: the person shall know.
    """
    if shown is not None:
        require_shown(row, {name: shown[name] for name in wanted})
    return {name: value for name, value in wanted.items() if not same(getattr(row, name), value)}


def require_shown(row: Model, shown: Values) -> None:
    """Raise ChangedMeanwhile unless the row, which the caller has locked, still has the values that a page showed."""
    if stale := [name for name, value in shown.items() if not same(getattr(row, name), value)]:
        raise ChangedMeanwhile(stale)


def as_json(value: object) -> str:
    """Return a value as JSON text that is equal for equal values only: Python takes 1, 1.0 and True for equal.

    A value that JSON does not have, such as a date, becomes its text.
    """
    return json.dumps(value, sort_keys=True, default=str)


def same(one: object, other: object) -> bool:
    """Return True if two values are stored alike."""
    return as_json(one) == as_json(other)
