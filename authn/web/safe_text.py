"""Unsafe characters in displayed text: validation of input, and escaping of text from elsewhere.

A control character can rewrite a terminal or forge a line, and a bidirectional mark makes `gpj.exe` read
`exe.jpg`. Unsafe are C0, DEL and C1, line and paragraph separators, all bidirectional marks, overrides and
isolates, and lone surrogates.
"""

import re

from django.core.exceptions import ValidationError

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# The same without tab, line feed and carriage return.
_UNSAFE_IN_LINES = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def is_safe_text(text: str, *, lines: bool = False) -> bool:
    """Return True if a text has no unsafe character. With `lines`, tabs and line breaks are allowed."""
    return (_UNSAFE_IN_LINES if lines else _UNSAFE).search(text) is None


def validate_safe_text(text: str) -> None:
    """Raise ValidationError for unsafe text. A validator for forms and serializers."""
    if not is_safe_text(text):
        raise ValidationError("Remove control characters and bidirectional formatting characters.", code="unsafe_text")


def escaped(text: str, *, lines: bool = False) -> str:
    r"""Return a text with each unsafe character escaped, such as \x1b or \u202e."""
    return (_UNSAFE_IN_LINES if lines else _UNSAFE).sub(_escape, text)


def escaped_values(value: object) -> object:
    """Return a JSON value with every string escaped, including object keys."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, dict):
        return {escaped_values(key): escaped_values(item) for key, item in value.items()}
    return [escaped_values(item) for item in value] if isinstance(value, list | tuple) else value


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
