"""JSV, ServiceStack's own format: JSON's brackets with CSV's quotes, typed by the reader.

    object = "{" [ key ":" value *( "," key ":" value ) ] "}"
    list   = "[" [ value *( "," value ) ] "]"
    value  = object | list | quoted | bare | empty, which is null
    quoted = '"', anything with each '"' doubled, '"'
    bare   = anything up to the next "," or "}" or, in a list, "]"

White space is part of a bare value, except after a line break that follows "{", "[" or ",": metadata
pages show JSV in lines, and users paste it.

`encode` and `decode` support any dataclass of strings, booleans, numbers, enums, maps of strings, lists
and dataclasses, in any nesting.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from uuid import UUID

from authn.servicestack.dtos import Dto, camel_case, is_dto, is_map, item_type, members_by_name, present_members
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats.values import Budget, check_depth, parse_bool

_NEEDS_QUOTES = re.compile(r'[":,{}\[\]\r\n]')
# Possessive repetitions never backtrack, so an unclosed quote fails in linear time.
_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"')
_SPACE = re.compile(r"[ \t\r\n]*")
_END_IN_OBJECT = re.compile(r"[,}]")
_END_IN_LIST = re.compile(r"[,}\]]")
_NESTING = {"{": re.compile(r'["{}]'), "[": re.compile(r'["\[\]]')}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z", re.ASCII)


def read(text: str, dto: type[Dto]) -> Dto:
    """Parse a DTO. Raises Unreadable."""
    value = decode(text, dto)
    if not isinstance(value, dto):
        raise Unreadable("The JSV must be an object.")
    return value


def write(dto: object) -> str:
    """Serialize a DTO without its absent members."""
    return encode(dto, name=camel_case)


def encode(value: object, *, name: Callable[[str], str] = str) -> str:
    """Return the JSV text of a value. `name` maps member names to those of the wire."""
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return ""
    if isinstance(value, dict):
        pairs = [f"{_text(str(key))}:{encode(item, name=name)}" for key, item in value.items() if item is not None]
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{','.join(encode(item, name=name) for item in value)}]"
    if is_dto(type(value)):
        pairs = [f"{name(member.name)}:{encode(item, name=name)}" for member, item in present_members(value)]
        return f"{{{','.join(pairs)}}}"
    return _scalar(value)


def decode(text: str, hint: object) -> object:
    """Return the value of type `hint` in a JSV text, None for a blank text. Raises Unreadable.

    Unknown members are ignored; an invalid number or boolean leaves the member's default.
    """
    reader = _Reader(text)
    value = reader.document(hint)
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
        return _timestamp(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bool | int | float | Decimal):  # JSV spells True and False as Python does.
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSV.")


def _timestamp(value: datetime) -> str:
    value = value.astimezone(UTC)
    day, fraction = f"{value:%Y-%m-%d}", value.microsecond
    if not (value.hour or value.minute or value.second or fraction):
        return day
    part = "" if not fraction else f".{fraction // 1000:03}" if fraction % 1000 == 0 else f".{fraction:06}0"
    return f"{day}T{value:%H:%M:%S}{part}Z"


class _Reader:
    """A parser that reads a text once, from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.position, self.budget = text, 0, Budget()

    def document(self, hint: object) -> object:
        """Read the text as one value."""
        self.skip_space()
        if not self.peek():
            return None
        if is_dto(hint) and self.peek() != "{":
            raise Unreadable("The JSV must be an object.")
        return self.value(hint, _END_IN_OBJECT, trim=False, depth=0)

    def end(self) -> None:
        self.skip_space()
        if self.position != len(self.text):
            raise Unreadable("The JSV has text after its end.")

    def value(self, hint: object, ends: re.Pattern[str], *, trim: bool, depth: int) -> object:
        """Read a value of the given type, up to its delimiter."""
        self.budget.spend()
        check_depth(depth)
        if trim:
            self.skip_space()
        first = self.peek()
        if first == "{" and is_dto(hint):
            return self.dto(hint, depth)
        if first == "{" and is_map(hint):
            return self.map(depth)
        if first == "[" and (item := item_type(hint)):
            return self.items(item, depth)
        raw, quoted = self.raw(first, ends, trim=trim)
        if raw == "" and not quoted:
            return None
        if item := item_type(hint):
            return [_of_type(raw, item)]
        return _of_type(raw, hint)

    def raw(self, first: str, ends: re.Pattern[str], *, trim: bool) -> tuple[str, bool]:
        """Read a value as text, objects and lists included. Returns it with True if it was quoted."""
        if first == '"':
            return self.quoted(), True
        if first in ("{", "["):
            return self.nested(first), False
        found = ends.search(self.text, self.position)
        end = found.start() if found else len(self.text)
        raw, self.position = self.text[self.position : end], end
        return (raw.strip(" \t\r\n") if trim else raw), False

    def dto(self, kind: type[object], depth: int) -> object:
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
                pairs[name.strip() if trim else name] = str(value)
        return pairs

    def items(self, item: object, depth: int) -> list[object]:
        items: list[object] = []
        self.position += 1
        trim = self.skip_line_break()
        if self.peek() == "]":
            self.position += 1
            return items
        while True:
            items.append(self.value(item, _END_IN_LIST, trim=trim, depth=depth + 1))
            if self.after_value("]"):
                return items
            trim = self.skip_line_break()

    def names(self) -> Iterator[tuple[str, bool]]:
        """Yield each name of an object, with True if its value must be trimmed. The caller reads the value."""
        self.position += 1
        trim = self.skip_line_break()
        if self.text.startswith("}", self.after_space()):
            self.position = self.after_space() + 1
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
            end = self.text.find(":", self.position)
            name = self.text[self.position : end] if end >= 0 else ""
            self.position = end if end >= 0 else len(self.text)
            if _NEEDS_QUOTES.search(name.strip(" \t\r\n")) or not name:
                raise Unreadable("A name in the JSV is missing or not followed by a colon.")
        if self.peek() != ":":
            raise Unreadable("A name in the JSV is not followed by a colon.")
        self.position += 1
        return name

    def quoted(self) -> str:
        found = _QUOTED.match(self.text, self.position)
        if not found:
            raise Unreadable("A quote in the JSV is not closed.")
        self.position = found.end()
        return found.group(1).replace('""', '"')

    def nested(self, opening: str) -> str:
        """Return the text of an object or list."""
        start, depth, in_quotes = self.position, 0, False
        for found in _NESTING[opening].finditer(self.text, start):
            if found.group() == '"':
                in_quotes = not in_quotes
            elif not in_quotes:
                depth += 1 if found.group() == opening else -1
                check_depth(depth)
                if depth == 0:
                    self.position = found.end()
                    return self.text[start : self.position]
        raise Unreadable("A bracket in the JSV is not closed.")

    def after_value(self, closing: str) -> bool:
        """Skip the delimiter after a value. Returns True if it closes the object or list."""
        self.skip_space()
        following = self.peek()
        if following not in (",", closing) or not following:
            raise Unreadable("A value in the JSV is followed by neither a comma nor the closing bracket.")
        self.position += 1
        return following == closing

    def skip_line_break(self) -> bool:
        """Skip white space that contains a line break. Returns True if there was any."""
        end = self.after_space()
        if not any(character in "\r\n" for character in self.text[self.position : end]):
            return False
        self.position = end
        return True

    def skip_space(self) -> None:
        self.position = self.after_space()

    def after_space(self) -> int:
        return _SPACE.match(self.text, self.position).end()  # type: ignore[union-attr]  # it also matches ""

    def peek(self) -> str:
        return self.text[self.position : self.position + 1]


def _of_type(raw: str, hint: object) -> object:
    """Return a text as a value of the given type, or None if it is not one."""
    if hint is str:
        return raw
    if hint is bool:
        return parse_bool(raw.strip())
    if hint is int:
        return int(raw) if _INTEGER.match(raw.strip()) else None
    if hint is float:
        return _number(raw, float)
    if hint is Decimal:
        return _number(raw, Decimal)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next((each for each in hint if each.name.lower() == raw.strip().lower()), None)
    raise Unreadable("A value in the JSV is not of the type of its member.")


def _number(raw: str, kind: type[float] | type[Decimal]) -> float | Decimal | None:
    try:
        number = kind(raw.strip().replace(",", ""))
    except (ValueError, InvalidOperation):
        return None
    return number if Decimal(number).is_finite() else None
