"""Reads JSON bodies strictly: what two readers could take differently is refused, not guessed.

The stock parser answers 500 to deep nesting, keeps the last of two equal keys, and lets lone
surrogates, NUL and 1e400 through to a database that refuses them (facts, threats section 0.7).
"""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.status import HTTP_413_REQUEST_ENTITY_TOO_LARGE

MAX_DEPTH = 32
MAX_NUMBER_LENGTH = 400


class PayloadTooLarge(APIException):
    """The body is larger than any request of this API needs."""

    status_code = HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"
    default_detail = f"The request body is larger than {settings.MAX_REQUEST_BYTES} bytes."


class StrictJSONParser(BaseParser):
    """Parse `application/json` into plain Python values, or refuse it with 400 or 413."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value in the body. Raises ParseError (400) and PayloadTooLarge (413)."""
        declared = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if not declared.isdigit() or int(declared[:12]) > settings.MAX_REQUEST_BYTES:
            raise PayloadTooLarge
        body = stream.read(settings.MAX_REQUEST_BYTES + 1)
        if len(body) > settings.MAX_REQUEST_BYTES:
            raise PayloadTooLarge
        return loads(body)


def loads(body: bytes) -> Any:
    """Read strict JSON from UTF-8 bytes. Raises ParseError with a message for the caller."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError("The body is not UTF-8.") from error
    _refuse_deep_nesting(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object_without_duplicates,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_short_integer,
        )
    except (ValueError, RecursionError) as error:
        raise ParseError("The body is not valid JSON.") from error
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
                raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        elif character in "]}":
            depth -= 1


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise ParseError("The body names a key twice in one object.")
    return seen


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(f"The body holds {name}, which is not JSON.")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ParseError("The body holds a number out of range.")
    return number


def _short_integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise ParseError("The body holds a number out of range.")
    return int(digits)


def _refuse_unstorable_text(value: Any) -> None:
    """Refuse NUL, which PostgreSQL cannot store, and lone surrogates, which nobody can encode."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise ParseError("The body holds a NUL or half a surrogate pair in a string.")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_unstorable_text(key)
            _refuse_unstorable_text(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable_text(item)
