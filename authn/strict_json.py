"""Reads JSON strictly: what two readers could take differently is refused, not guessed.

The standard reader keeps the last of two equal keys, and lets deep nesting, lone surrogates, NUL and
1e400 through to code and databases that refuse them. Here it reads first, at its own speed, and the
value is judged afterwards, a level of nesting at a time: no loop of ours runs over characters. What
the text alone shows to be harmless is not looked at again. bench/strict_json.py measures the cost.
"""

import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 400

_TOO_LONG = 10**MAX_NUMBER_LENGTH
_TOO_LONG_WITH_SIGN = -(10 ** (MAX_NUMBER_LENGTH - 1))
# Less than half as long as any number that is out of range and has no exponent, and prime: no period of a text fits.
_STRIDE = 149
_TWO_DIGITS = re.compile(r"(?=[0-9.]{2})")
# So many are looked at one by one in less time than a long text is searched.
_FEW = 250
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# Of nested brackets so many levels at a time are taken away: MAX_DEPTH in all.
_STEPS = (8, 8, *[1] * (MAX_DEPTH - 16))
_TOO_DEEP = f"The JSON is nested deeper than {MAX_DEPTH} levels."
_OUT_OF_RANGE = "The JSON holds a number out of range."


class NotStrictJSON(ValueError):
    """The text is no JSON that may be read. The message is for the caller."""


def read_json(text: str | bytes) -> Any:
    """Return the value that a text, or its UTF-8, spells. Raises NotStrictJSON."""
    text = _decoded(text)
    are_pairs_few = not _holds_more(text, ":", _FEW)
    try:
        value = (_WATCHING_KEYS if are_pairs_few else _READING).decode(text)
    except NotStrictJSON:
        raise
    except RecursionError as error:
        raise NotStrictJSON(_TOO_DEEP) from error
    except json.JSONDecodeError as error:
        raise NotStrictJSON("This is not valid JSON.") from error
    except ValueError as error:  # Python converts no integer of more than some thousand digits.
        raise NotStrictJSON(_OUT_OF_RANGE) from error
    if '"' in text or not _is_plain(text):
        _judge(value, text, are_keys_unique=are_pairs_few)
    return value


def is_storable(text: str) -> bool:
    """Return True if both databases can hold a text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not _has_surrogates(text)


# --- Reading -----------------------------------------------------------------------------------------


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise NotStrictJSON("This is not UTF-8.") from error
    if _has_surrogates(text):
        raise NotStrictJSON("The JSON holds half a surrogate pair.")
    return text


def _has_surrogates(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode("utf-32-le")  # of all encodings that refuse surrogates the quickest
    except UnicodeEncodeError:
        return True
    return False


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        _refuse_duplicates()
    return seen


def _refuse_duplicates() -> NoReturn:
    raise NotStrictJSON("The JSON names a key twice in one object.")


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJSON(f"The JSON holds {name}, which is not JSON.")


def _short_integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise NotStrictJSON(_OUT_OF_RANGE)
    return int(digits)


# Converting takes quadratic time. An interpreter that was told not to bound it gets a bound here.
_INTEGERS = int if 0 < sys.get_int_max_str_digits() <= 10_000 else _short_integer
_READING = json.JSONDecoder(parse_int=_INTEGERS, parse_constant=_refuse_constant)
_WATCHING_KEYS = json.JSONDecoder(
    parse_int=_INTEGERS, parse_constant=_refuse_constant, object_pairs_hook=_object_without_duplicates
)


# --- What the text shows -----------------------------------------------------------------------------


def _is_plain(text: str) -> bool:
    """Return True if a text without strings is nested little, and all its numbers are ordinary."""
    return not _holds_an_exponent(text) and not _holds_a_long_number(text) and _is_nested_little(text)


def _holds_more(text: str, character: str, limit: int) -> bool:
    """Return True if a character stands in the text more than `limit` times."""
    at = -1
    for _ in range(limit + 1):
        at = text.find(character, at + 1)
        if at < 0:
            return False
    return True


def _holds_a_long_number(text: str) -> bool:
    """Return True if digits stand in a row for as long as those of a number that is out of range.

    Such a row covers two neighbours among the characters that are a stride apart.
    """
    for found in _TWO_DIGITS.finditer(text[::_STRIDE]):
        start = found.start() * _STRIDE
        between = text[start : start + _STRIDE]
        if "," not in between and between.replace(".", "").isdigit():
            return True
    return False


def _holds_an_exponent(text: str) -> bool:
    """Return True if an e stands in a text without strings elsewhere than at the end of true or false."""
    if "e" not in text and "E" not in text:
        return False
    return "E" in text or not ("u" in text or "s" in text) or text.count("e") != text.count("ue") + text.count("se")


def _is_nested_little(text: str) -> bool:
    """Return True if taking innermost brackets away leaves none; False does not mean that it is nested deeply.

    What goes with one step was nested as deeply as the step says, and stood at any place.
    """
    brackets = text.encode("ascii").translate(None, _NO_BRACKETS).replace(b"{}", b"[]")
    for levels in _STEPS:
        brackets = brackets.replace(b"[" * levels + b"]" * levels, b"")
        if not brackets:
            return True
    return False


# --- What the value shows ----------------------------------------------------------------------------


def _judge(value: Any, text: str, *, are_keys_unique: bool) -> None:
    """Refuse what the reader let through."""
    holds_long: bool | None = None
    items = pairs = 0
    for depth, level in enumerate(_levels(value)):
        if depth == MAX_DEPTH and (level.dicts or level.lists):
            raise NotStrictJSON(_TOO_DEEP)
        if level.has(int) or level.has(float):
            holds_long = _holds_a_long_number(text) if holds_long is None else holds_long
            if holds_long and not _are_short(level.of(int)):
                raise NotStrictJSON(_OUT_OF_RANGE)
            if (holds_long or "e" in text or "E" in text) and not _are_finite(level.of(float)):
                raise NotStrictJSON(_OUT_OF_RANGE)
        items += len(level.items)
        pairs += len(level.values)
    if pairs and not are_keys_unique:
        _refuse_lost_pairs(text, pairs)
    if "\\" in text and (items <= _FEW or "\\u" in text) and not is_storable(_joined_strings(value)):
        raise NotStrictJSON("The JSON holds a NUL or half a surrogate pair in a string.")


def _refuse_lost_pairs(text: str, pairs: int) -> None:
    """Refuse a text that spells more pairs than its value has: of two with one key, the first is lost.

    Each pair has a colon, after a quote or a space. Where strings hold such colons as well, the text
    is read again with an eye on its keys.
    """
    if text.count(":") == pairs:
        return
    spellings = ['":', *(f"{space}:" for space in " \t\n\r" if space in text)]
    if sum(map(text.count, spellings)) != pairs:
        _WATCHING_KEYS.decode(text)


class _Level:
    """The items that stand at one depth of a value."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self._types = _types(items)
        self.lists: list[list[Any]] = self.of(list)
        self.dicts: list[dict[str, Any]] = self.of(dict)
        self.values = [*chain.from_iterable(map(dict.values, self.dicts))]

    def has(self, wanted: type) -> bool:
        """Return True if an item is of a type."""
        return wanted in self._types

    def of(self, wanted: type) -> list[Any]:
        """Return the items of one type."""
        if not self.has(wanted):
            return []
        return self.items if len(self._types) == 1 else [item for item in self.items if type(item) is wanted]


def _types(items: list[Any]) -> set[type]:
    if items and type(items[0]) is type(items[-1]) is str:
        with suppress(TypeError):  # Joining is the quickest way to find out that all are strings.
            "".join(items)
            return {str}
    return set(map(type, items))


def _levels(value: Any) -> Iterator[_Level]:
    """Yield the levels of a value, outermost first."""
    level = _Level([value])
    yield level
    while level.lists or level.dicts:
        entries = level.lists[0] if len(level.lists) == 1 else [*chain.from_iterable(level.lists)]
        level = _Level(entries + level.values if entries and level.values else entries or level.values)
        yield level


def _are_short(integers: list[int]) -> bool:
    return not integers or (max(integers) < _TOO_LONG and min(integers) > _TOO_LONG_WITH_SIGN)


def _are_finite(floats: list[float]) -> bool:
    # The sum of finite numbers may overflow, but no sum with an infinity is finite.
    return math.isfinite(sum(floats)) or all(map(math.isfinite, floats))


def _joined_strings(value: Any) -> str:
    """Return all keys and strings of a value as one text."""
    return "".join(chain.from_iterable(chain(level.of(str), *level.dicts) for level in _levels(value)))
