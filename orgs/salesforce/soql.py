"""Builds SOQL queries, with caller-supplied values escaped as literals."""

import re
from collections.abc import Iterable

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)


def literal(text: str) -> str:
    """Return a quoted literal. Backslashes are escaped first, so that those of escaped quotes stay single."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def field_name(text: str) -> str:
    """Return a valid field name unchanged. Raises ValueError."""
    if not _FIELD.fullmatch(text):
        raise ValueError("This is not a valid Salesforce field name.")
    return text


def newest_where(object_name: str, fields: Iterable[str], *, field: str, value: str, limit: int = 1) -> str:
    """Return a query for the newest rows, newest first, whose `field` equals `value`.

    Names are constants or settings; only the value comes from a caller, and it is the query's only literal.
    """
    listed, where = ", ".join(map(field_name, fields)), f"{field_name(field)} = {literal(value)}"
    return f"SELECT {listed} FROM {object_name} WHERE {where} ORDER BY CreatedDate DESC LIMIT {limit:d}"  # noqa: S608  # one literal, escaped
