"""A parser for the subset of SOQL that is needed; it refuses everything else as malformed."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*(?:('(?:[^'\\]|\\.)*')|(!=|=|,)|([A-Za-z_][A-Za-z0-9_.]*)|(\d+))", re.DOTALL)
_KEYWORDS = {"select", "from", "where", "and", "order", "by", "limit", "asc", "desc"}


Row = dict[str, object]


class Malformed(ValueError):
    """The text is not a query that this parser supports."""


@dataclass(frozen=True)
class Condition:
    """`field = 'literal'` or `field != 'literal'`."""

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

    def select(self, rows: list[Row]) -> list[Row] | None:
        """Return the matching rows with the selected fields, None if a field does not exist."""
        used = [*self.fields, *(condition.field for condition in self.conditions)]
        if rows and any(field not in rows[0] for field in used):
            return None
        kept = [row for row in rows if all(self._holds(row, condition) for condition in self.conditions)]
        if self.order_by:
            kept.sort(key=lambda row: str(row.get(self.order_by)), reverse=self.descending)
        return [{field: row[field] for field in self.fields} for row in kept[: self.limit]]

    def _holds(self, row: Row, condition: Condition) -> bool:
        # SOQL compares text case-insensitively.
        return (str(row[condition.field]).lower() == condition.literal.lower()) == condition.equals


def parse(text: str) -> Query:
    """Parse a query. Raises Malformed."""
    parser = _Parser(_tokens(text))
    parser.expect("select")
    fields = parser.names()
    parser.expect("from")
    object_name = parser.name()
    conditions = parser.conditions() if parser.accept("where") else ()
    order_by, descending = parser.order() if parser.accept("order") else ("", False)
    limit = int(parser.take()) if parser.accept("limit") else None
    parser.end()
    return Query(object_name, fields, conditions, order_by, descending, limit)


def literals_in(text: str) -> int:
    """Return the number of quoted literals in a query, 0 if it cannot be parsed."""
    try:
        return sum(token.startswith("'") for token in _tokens(text))
    except Malformed:
        return 0


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise Malformed(text[position : position + 10])
        tokens.append(next(group for group in match.groups() if group is not None))
        position = match.end()
    return tokens


class _Parser:
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
