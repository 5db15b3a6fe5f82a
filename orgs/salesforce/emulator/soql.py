"""A small, honest reader of SOQL: what it does not understand it refuses, as Salesforce would."""

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"\s*(?:('(?:[^'\\]|\\.)*')|(!=|=|,)|([A-Za-z_][A-Za-z0-9_.]*)|(\d+))", re.DOTALL)
_KEYWORDS = {"select", "from", "where", "and", "order", "by", "limit", "asc", "desc"}


class Malformed(ValueError):
    """The text is no query that this reader understands."""


@dataclass(frozen=True)
class Condition:
    """`field = 'literal'`, or its opposite."""

    field: str
    equals: bool
    literal: str


@dataclass(frozen=True)
class Query:
    """SELECT fields FROM object WHERE conditions ORDER BY field LIMIT n."""

    object_name: str
    fields: tuple[str, ...]
    conditions: tuple[Condition, ...]
    order_by: str
    descending: bool
    limit: int | None

    def select(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
        """Return the rows that fit, with the fields asked for; None when a field does not exist."""
        asked = [*self.fields, *(condition.field for condition in self.conditions)]
        if rows and any(field not in rows[0] for field in asked):
            return None
        kept = [row for row in rows if all(self._holds(row, condition) for condition in self.conditions)]
        if self.order_by:
            kept.sort(key=lambda row: str(row.get(self.order_by)), reverse=self.descending)
        return [{field: row[field] for field in self.fields} for row in kept[: self.limit]]

    def _holds(self, row: dict[str, Any], condition: Condition) -> bool:
        # SOQL compares text without regard to case.
        return (str(row[condition.field]).lower() == condition.literal.lower()) == condition.equals


def parse(text: str) -> Query:
    """Read a query. Raises Malformed."""
    reader = _Reader(_tokens(text))
    reader.expect("select")
    fields = reader.names()
    reader.expect("from")
    object_name = reader.name()
    conditions = reader.conditions() if reader.accept("where") else ()
    order_by, descending = reader.order() if reader.accept("order") else ("", False)
    limit = int(reader.take()) if reader.accept("limit") else None
    reader.end()
    return Query(object_name, fields, conditions, order_by, descending, limit)


def literals_in(text: str) -> int:
    """Return how many quoted literals a query holds, 0 when it cannot be read."""
    try:
        return sum(token.startswith("'") for token in _tokens(text))
    except Malformed:
        return 0


def _tokens(text: str) -> list[str]:
    tokens, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Malformed(text[place : place + 10])
        tokens.append(next(group for group in match.groups() if group is not None))
        place = match.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens

    def take(self) -> str:
        if not self._tokens:
            raise Malformed("The query ends too early.")
        return self._tokens.pop(0)

    def accept(self, keyword: str) -> bool:
        if self._tokens and self._tokens[0].lower() == keyword:
            self._tokens.pop(0)
            return True
        return False

    def expect(self, keyword: str) -> None:
        if not self.accept(keyword):
            raise Malformed(f"{keyword} is missing.")

    def name(self) -> str:
        token = self.take()
        if not token[0].isalpha() or token.lower() in _KEYWORDS:
            raise Malformed(token)
        return token

    def names(self) -> tuple[str, ...]:
        names = [self.name()]
        while self.accept(","):
            names.append(self.name())
        return tuple(names)

    def conditions(self) -> tuple[Condition, ...]:
        conditions = [self._condition()]
        while self.accept("and"):
            conditions.append(self._condition())
        return tuple(conditions)

    def order(self) -> tuple[str, bool]:
        self.expect("by")
        name = self.name()
        if self.accept("desc"):
            return name, True
        self.accept("asc")
        return name, False

    def end(self) -> None:
        if self._tokens:
            raise Malformed(self._tokens[0])

    def _condition(self) -> Condition:
        name, operator, literal = self.name(), self.take(), self.take()
        if operator not in ("=", "!=") or not literal.startswith("'"):
            raise Malformed(operator)
        return Condition(name, operator == "=", re.sub(r"\\(.)", r"\1", literal[1:-1]))
