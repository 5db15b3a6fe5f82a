"""CSV: one row of names, one row of values; a value that is no single one stands as JSV.

ServiceStack itself writes only a message's first list here, and fails where there is none. No
client can read that, so this follows what it does for its ErrorResponse.
"""

import csv
import io
from typing import Any, TypeVar

from authn.servicestack.dtos import camel_case, is_map, members, members_by_name
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats import jsv
from authn.servicestack.formats.values import MAX_STRETCH, Budget, must_be_truth

Message = TypeVar("Message")

# A spreadsheet takes what begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read(text: str, message: type[Message]) -> Message:
    """Read a message from a row of names and one of values; an empty value is absent. Raises Unreadable."""
    names, row = _rows(text)
    by_name, values = members_by_name(message), {}
    for name, value in zip(names, row, strict=True):
        found = by_name.get(name.strip().lower())
        if found and value:
            values[found.attribute] = of_text(value, found.type, found.name)
    return message(**values)


def write(message: object) -> str:
    """Write a message; absent members are left out."""
    there = [(each.name, getattr(message, each.attribute)) for each in members(type(message))]
    there = [(camel_case(name), value) for name, value in there if value is not None]
    return "".join(",".join(map(_field, row)) + "\r\n" for row in zip(*there, strict=True))


def of_text(text: str, kind: Any, member: str) -> Any:
    """Return a value of a type that a single text spells, as here, in a query and in a form. Raises Unreadable."""
    if kind is bool:
        return must_be_truth(text, member)
    if is_map(kind):
        if not text.lstrip().startswith("{"):
            raise Unreadable(f"{member} must be an object in JSV.", member)
        try:
            return jsv.decode(text, kind)
        except Unreadable as error:
            raise Unreadable(str(error), member) from error
    return text


def _rows(text: str) -> tuple[list[str], list[str]]:
    # The reader hands over a row when it has all values of it, which is too late to count them.
    if text.count(",") > MAX_STRETCH:
        raise Unreadable(f"The CSV holds more than {MAX_STRETCH} commas.")
    budget, rows = Budget(), []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            budget.spend(1 + len(row))
            if row:
                rows.append(row)
    except csv.Error as error:
        raise Unreadable("This is not valid CSV.") from error
    if len(rows) != 2 or len(rows[0]) != len(rows[1]):
        raise Unreadable("The CSV must be one row of names and one row of as many values.")
    return rows[0], rows[1]


def _field(value: Any) -> str:
    text = value if isinstance(value, str) else jsv.write(value)
    if text.startswith(_FORMULA):
        text = f"'{text}"
    if any(character in text for character in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
