"""A strict JSON parser: documents that two parsers could read differently are rejected.

The standard parser keeps the last of two equal keys, and passes deep nesting, lone surrogates, NUL and
1e400 on to code and databases that fail on them. orjson rejects most of that and is several times as fast;
what it accepts is checked afterwards, one level of nesting at a time, without a Python loop over
characters. What orjson rejects or cannot represent is parsed again by the standard parser with every
rule, for its message and for integers of more than 64 bits. bench/strict_json.py measures the cost.
"""

import codecs
import json
import math
from collections.abc import Iterator
from itertools import chain
from typing import NoReturn, TypeVar, cast

import orjson

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 400

# orjson converts an integer beyond these to a float.
_LEAST_ROUNDED, _MOST_ROUNDED = 2.0**63, -(2.0**63)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]"))
# Levels of brackets removed in each step: MAX_DEPTH in total.
_STEPS = (8, 8, *[1] * (MAX_DEPTH - 16))
_TOO_DEEP = f"The JSON is nested deeper than {MAX_DEPTH} levels."
_OUT_OF_RANGE = "The JSON has a number out of range."
_UNSTORABLE = "The JSON has a NUL or half a surrogate pair in a string."


Item = TypeVar("Item")


class NotStrictJSON(ValueError):
    """The text is not acceptable JSON. The message is for the caller."""


class _Ambiguous(Exception):
    """The value may differ from the text, which must be parsed again with every rule."""


def read_json(text: str | bytes) -> object:
    """Return the value of a JSON text, or of its UTF-8; a byte order mark is skipped. Raises NotStrictJSON."""
    data = _encoded(text).removeprefix(codecs.BOM_UTF8)
    try:
        value: object = orjson.loads(data)
        _check(value, data)
    except (orjson.JSONDecodeError, _Ambiguous):
        return _read_again(data)
    return value


def is_storable(text: str) -> bool:
    """Return True if both databases can store a text: no NUL and no half of a surrogate pair."""
    return "\x00" not in text and not _has_surrogates(text)


def _encoded(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotStrictJSON("The JSON has half a surrogate pair.") from error


def _has_surrogates(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode("utf-32-le")  # the fastest encoding that rejects surrogates
    except UnicodeEncodeError:
        return True
    return False


# --- What orjson accepts ------------------------------------------------------------------------------


def _check(value: object, data: bytes) -> None:
    """Reject values that orjson wrongly accepts. Raises NotStrictJSON, _Ambiguous."""
    if _is_plain(data):
        return
    pairs = 0
    for depth, (items, types, lists, dicts) in enumerate(_levels(value)):
        if depth == MAX_DEPTH and (lists or dicts):
            raise NotStrictJSON(_TOO_DEEP)
        pairs += sum(map(len, dicts))
        if float in types:
            _reject_rounded(_of_type(float, items, types))
    if pairs and not _are_keys_unique(data, pairs):
        raise _Ambiguous
    # A search for one byte is several times as fast as one for six.
    if b"\\" in data and b"\\u0000" in data and any("\x00" in text for text in _strings(value)):
        raise NotStrictJSON(_UNSTORABLE)


def _is_plain(data: bytes) -> bool:
    """Return True if a text has no objects, strings or numbers, and its lists are not nested too deep.

    Removing innermost brackets shows this without visiting many small lists.
    """
    if any(mark in data for mark in b'{:".0123456789'):
        return False
    brackets = data.translate(None, _NO_BRACKETS)
    for levels in _STEPS:
        brackets = brackets.replace(b"[" * levels + b"]" * levels, b"")
    return not brackets


def _levels(value: object) -> Iterator[tuple[list[object], set[type], list[list[object]], list[dict[str, object]]]]:
    """Yield the items at each depth, outermost first, with their types and the lists and objects among them."""
    items = [value]
    while items:
        types = set(map(type, items))
        lists, dicts = _of_type(list, items, types), _of_type(dict, items, types)
        yield items, types, lists, dicts
        is_one_list = len(lists) == 1 and not dicts  # needs no copy
        items = (
            lists[0] if is_one_list else [*chain.from_iterable(lists), *chain.from_iterable(map(dict.values, dicts))]
        )


def _of_type(wanted: type[Item], items: list[object], types: set[type]) -> list[Item]:
    if wanted not in types:
        return []
    found = items if len(types) == 1 else [item for item in items if type(item) is wanted]
    return cast(list[Item], found)


def _reject_rounded(floats: list[float]) -> None:
    if max(floats) >= _LEAST_ROUNDED or min(floats) <= _MOST_ROUNDED:
        raise _Ambiguous


def _are_keys_unique(data: bytes, pairs: int) -> bool:
    """Return True if the text certainly has as many pairs as its value, which keeps one of two equal keys.

    Each pair has a colon, after a quote or white space. Strings may contain such colons, too.
    """
    if data.count(b":") == pairs:
        return True
    spaces = [space for space in (b" ", b"\t", b"\n", b"\r") if space in data]
    return data.count(b'":') + sum(data.count(space + b":") for space in spaces) == pairs


def _strings(value: object) -> Iterator[str]:
    for items, _, _, dicts in _levels(value):
        yield from chain.from_iterable(dicts)
        yield from (item for item in items if isinstance(item, str))


# --- With every rule -----------------------------------------------------------------------------------


def _read_again(data: bytes) -> object:
    try:
        value: object = _STRICT.decode(data.decode("utf-8"))
    except NotStrictJSON:
        raise
    except UnicodeDecodeError as error:
        raise NotStrictJSON(f"This is not UTF-8: byte {error.start + 1}.") from error
    except RecursionError as error:
        raise NotStrictJSON(_TOO_DEEP) from error
    except json.JSONDecodeError as error:  # Its own message may quote the text.
        raise NotStrictJSON(f"This is not valid JSON: line {error.lineno}, column {error.colno}.") from error
    for depth, (_, _, lists, dicts) in enumerate(_levels(value)):
        if depth == MAX_DEPTH and (lists or dicts):
            raise NotStrictJSON(_TOO_DEEP)
    if not all(map(is_storable, _strings(value))):
        raise NotStrictJSON(_UNSTORABLE)
    return value


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise NotStrictJSON("The JSON has a duplicate key in one object.")
    return seen


def _reject_constant(name: str) -> NoReturn:
    raise NotStrictJSON(f"The JSON has {name}, which is not JSON.")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotStrictJSON(_OUT_OF_RANGE)
    return number


def _short_integer(digits: str) -> int:
    # Converting takes quadratic time.
    if len(digits) > MAX_NUMBER_LENGTH:
        raise NotStrictJSON(_OUT_OF_RANGE)
    return int(digits)


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates,
    parse_constant=_reject_constant,
    parse_float=_finite_float,
    parse_int=_short_integer,
)
