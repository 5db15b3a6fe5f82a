"""Writes SOQL with values that came from outside, each as one literal."""

import re
from collections.abc import Iterable

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)


def literal(text: str) -> str:
    """Return a quoted literal. The backslash goes first, or the quote's own would be doubled."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def field_name(text: str) -> str:
    """Return a field name as it is. Raises ValueError for anything else."""
    if not _FIELD.fullmatch(text):
        raise ValueError("This is no name of a Salesforce field.")
    return text


def newest_where(object_name: str, fields: Iterable[str], *, field: str, value: str, limit: int = 1) -> str:
    """Return the query for the newest rows, newest first, in which one field has one value.

    Names are the desk's own words or settings, the value is a caller's. No query holds a second one.
    """
    listed, where = ", ".join(map(field_name, fields)), f"{field_name(field)} = {literal(value)}"
    return f"SELECT {listed} FROM {object_name} WHERE {where} ORDER BY CreatedDate DESC LIMIT {limit:d}"  # noqa: S608  # one literal, escaped
