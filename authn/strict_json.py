"""Reads JSON strictly: what two readers could take differently is refused, not guessed.

The standard reader overflows on deep nesting, keeps the last of two equal keys, and lets lone
surrogates, NUL and 1e400 through to a database that refuses them (facts, threats section 0.7).
"""

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 400


class NotStrictJSON(ValueError):
    """The text is no JSON that may be read. The message is for the caller."""


def read_json(text: str) -> Any:
    """Return the value that a text spells. Raises NotStrictJSON."""
    _refuse_deep_nesting(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_short_integer,
        )
    except NotStrictJSON:
        raise
    except (ValueError, RecursionError) as error:
        raise NotStrictJSON("This is not valid JSON.") from error
    _refuse_unstorable_text(value)
    return value


def _refuse_deep_nesting(text: str) -> None:
    """Count brackets outside strings, before the recursive parser sees them."""
    depth = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise NotStrictJSON(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
        elif character in "]}":
            depth -= 1


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise NotStrictJSON("The JSON names a key twice in one object.")
    return seen


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJSON(f"The JSON holds {name}, which is not JSON.")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise NotStrictJSON("The JSON holds a number out of range.")
    return number


def _short_integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise NotStrictJSON("The JSON holds a number out of range.")
    return int(digits)


def _refuse_unstorable_text(value: Any) -> None:
    """Refuse NUL, which PostgreSQL cannot store, and lone surrogates, which nobody can encode."""
    if isinstance(value, str):
        if not is_storable(value):
            raise NotStrictJSON("The JSON holds a NUL or half a surrogate pair in a string.")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_unstorable_text(key)
            _refuse_unstorable_text(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable_text(item)


def is_storable(text: str) -> bool:
    """Tell whether both databases can hold a text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
