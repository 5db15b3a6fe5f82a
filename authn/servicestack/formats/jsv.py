"""JSV, ServiceStack's own format: JSON's brackets with CSV's quotes, typed by whoever reads it.

    object = "{" [ key ":" value *( "," key ":" value ) ] "}"
    list   = "[" [ value *( "," value ) ] "]"
    value  = object | list | quoted | bare | nothing, which is null
    quoted = '"', anything with each '"' doubled, '"'
    bare   = anything up to the next "," or "}" or, in a list, "]"

White space in a bare value belongs to it. One exception is made for what is pasted from a metadata
page: where a line break stands after "{", "[" or ",", the value that follows is trimmed.

`encode` and `decode` take any dataclass: texts, booleans, numbers, enums, maps of texts, lists and
dataclasses in any nesting.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

from authn.servicestack.dtos import camel_case, is_map, is_message, item_type, members, members_by_name
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats.values import Budget, check_depth, truth

Message = TypeVar("Message")

_NEEDS_QUOTES = re.compile(r'[":,{}\[\]\r\n]')
# The "+" behind a repetition gives nothing back, so that an unclosed quote is found out in one go.
_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"')
_SPACE = re.compile(r"[ \t\r\n]*")
_END_IN_OBJECT = re.compile(r"[,}]")
_END_IN_LIST = re.compile(r"[,}\]]")
_NESTING = {"{": re.compile(r'["{}]'), "[": re.compile(r'["\[\]]')}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z", re.ASCII)


def read(text: str, message: type[Message]) -> Message:
    """Read a message of this service. Raises Unreadable."""
    read_message: Message = decode(text, message)
    return read_message


def write(message: object) -> str:
    """Write a message of this service."""
    return encode(message, name=camel_case)


def encode(value: object, *, name: Callable[[str], str] = str) -> str:
    """Return the JSV text of a value. `name` says how the names of members are written."""
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return ""
    if isinstance(value, dict):
        pairs = [f"{_text(str(key))}:{encode(item, name=name)}" for key, item in value.items() if item is not None]
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{','.join(encode(item, name=name) for item in value)}]"
    if is_message(type(value)):
        there = [(each.name, getattr(value, each.attribute)) for each in members(type(value))]
        pairs = [f"{name(key)}:{encode(item, name=name)}" for key, item in there if item is not None]
        return f"{{{','.join(pairs)}}}"
    return _scalar(value)


def decode(text: str, kind: type[Message] | Any) -> Any:
    """Return the value of type `kind` that a JSV text spells, None for a blank one. Raises Unreadable.

    Unknown members are skipped, a number or boolean that cannot be read stays at its default.
    """
    reader = _Reader(text)
    value = reader.whole(kind)
    reader.end()
    return value


def _text(value: str) -> str:
    if value and not _NEEDS_QUOTES.search(value):
        return value
    return '"' + value.replace('"', '""') + '"'


def _scalar(value: object) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bool | int | float | Decimal):  # True and False are spelt so in JSV as well.
        return str(value)
    raise TypeError(f"JSV has no spelling here for a {type(value).__name__}.")


def _moment(value: datetime) -> str:
    value = value.astimezone(UTC)
    day, fraction = f"{value:%Y-%m-%d}", value.microsecond
    if not (value.hour or value.minute or value.second or fraction):
        return day
    part = "" if not fraction else f".{fraction // 1000:03}" if fraction % 1000 == 0 else f".{fraction:06}0"
    return f"{day}T{value:%H:%M:%S}{part}Z"


class _Reader:
    """Walks once through a text; `place` only ever grows."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.budget = text, 0, Budget()

    def whole(self, kind: Any) -> Any:
        """Read the one value that the text is."""
        self.skip_space()
        if not self.peek():
            return None
        if is_message(kind) and self.peek() != "{":
            raise Unreadable("The JSV must be an object.")
        return self.value(kind, _END_IN_OBJECT, trim=False, depth=0)

    def end(self) -> None:
        self.skip_space()
        if self.place != len(self.text):
            raise Unreadable("The JSV goes on after its end.")

    def value(self, kind: Any, ends: re.Pattern[str], *, trim: bool, depth: int) -> Any:
        """Read a value of a type and stop at what comes after it."""
        self.budget.spend()
        check_depth(depth)
        if trim:
            self.skip_space()
        first = self.peek()
        if first == "{" and is_message(kind):
            return self.message(kind, depth)
        if first == "{" and is_map(kind):
            return self.map(depth)
        if first == "[" and (item := item_type(kind)):
            return self.items(item, depth)
        raw, quoted = self.raw(first, ends, trim=trim)
        if raw == "" and not quoted:
            return None
        if item := item_type(kind):
            return [_of_type(raw, item)]
        return _of_type(raw, kind)

    def raw(self, first: str, ends: re.Pattern[str], *, trim: bool) -> tuple[str, bool]:
        """Read a value as text, and tell whether it stood in quotes. Nested text stays as it is."""
        if first == '"':
            return self.quoted(), True
        if first in ("{", "["):
            return self.nested(first), False
        found = ends.search(self.text, self.place)
        end = found.start() if found else len(self.text)
        raw, self.place = self.text[self.place : end], end
        return (raw.strip(" \t\r\n") if trim else raw), False

    def message(self, kind: Any, depth: int) -> Any:
        by_name, values = members_by_name(kind), {}
        for name, trim in self.names():
            found = by_name.get(name.strip().lower())
            value = self.value(found.type if found else str, _END_IN_OBJECT, trim=trim, depth=depth + 1)
            if found and value is not None:
                values[found.attribute] = value
        return kind(**values)

    def map(self, depth: int) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for name, trim in self.names():
            value = self.value(str, _END_IN_OBJECT, trim=trim, depth=depth + 1)
            if value is not None:
                pairs[name.strip() if trim else name] = value
        return pairs

    def items(self, item: Any, depth: int) -> list[Any]:
        items: list[Any] = []
        self.place += 1
        trim = self.skip_line_break()
        if self.peek() == "]":
            self.place += 1
            return items
        while True:
            items.append(self.value(item, _END_IN_LIST, trim=trim, depth=depth + 1))
            if self.after_value("]"):
                return items
            trim = self.skip_line_break()

    def names(self) -> Iterator[tuple[str, bool]]:
        """Yield each name of an object with whether its value is to be trimmed; the caller reads the value."""
        self.place += 1
        trim = self.skip_line_break()
        if self.text.startswith("}", self.after_space()):
            self.place = self.after_space() + 1
            return
        while True:
            yield self.name(), trim
            if self.after_value("}"):
                return
            trim = self.skip_line_break()

    def name(self) -> str:
        if self.text.startswith('"', self.after_space()):
            self.skip_space()
            name = self.quoted()
            self.skip_space()
        else:
            end = self.text.find(":", self.place)
            name = self.text[self.place : end] if end >= 0 else ""
            self.place = end if end >= 0 else len(self.text)
            if _NEEDS_QUOTES.search(name.strip(" \t\r\n")) or not name:
                raise Unreadable("A name in the JSV is missing or not followed by a colon.")
        if self.peek() != ":":
            raise Unreadable("A name in the JSV is not followed by a colon.")
        self.place += 1
        return name

    def quoted(self) -> str:
        found = _QUOTED.match(self.text, self.place)
        if not found:
            raise Unreadable("A quote in the JSV is never closed.")
        self.place = found.end()
        return found.group(1).replace('""', '"')

    def nested(self, opening: str) -> str:
        """Read over an object or list, and return it as it stands."""
        start, depth, in_quotes = self.place, 0, False
        for found in _NESTING[opening].finditer(self.text, start):
            if found.group() == '"':
                in_quotes = not in_quotes
            elif not in_quotes:
                depth += 1 if found.group() == opening else -1
                check_depth(depth)
                if depth == 0:
                    self.place = found.end()
                    return self.text[start : self.place]
        raise Unreadable("A bracket in the JSV is never closed.")

    def after_value(self, closing: str) -> bool:
        """Step over what follows a value, and tell whether the object or list ends there."""
        self.skip_space()
        following = self.peek()
        if following not in (",", closing) or not following:
            raise Unreadable("A value in the JSV is followed by neither a comma nor the closing bracket.")
        self.place += 1
        return following == closing

    def skip_line_break(self) -> bool:
        """Step over white space if a line break is in it, and tell so."""
        end = self.after_space()
        if not any(character in "\r\n" for character in self.text[self.place : end]):
            return False
        self.place = end
        return True

    def skip_space(self) -> None:
        self.place = self.after_space()

    def after_space(self) -> int:
        return _SPACE.match(self.text, self.place).end()  # type: ignore[union-attr]  # it matches nothing as well

    def peek(self) -> str:
        return self.text[self.place : self.place + 1]


def _of_type(raw: str, kind: Any) -> Any:
    """Return a text as a value of a type, None where it is no such value."""
    if kind is str:
        return raw
    if kind is bool:
        return truth(raw.strip())
    if kind is int:
        return int(raw) if _INTEGER.match(raw.strip()) else None
    if kind in (float, Decimal):
        return _number(raw, kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next((each for each in kind if each.name.lower() == raw.strip().lower()), None)
    raise Unreadable("A value in the JSV is not of the type of its member.")


def _number(raw: str, kind: type[Any]) -> Any:
    try:
        number = kind(raw.strip().replace(",", ""))
    except (ValueError, InvalidOperation):
        return None
    return number if Decimal(number).is_finite() else None
