"""Salesforce record ids: 15 case-sensitive characters, or 18 with a checksum of their case."""

import re
import string

_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[A-Z0-5]{3})?", re.ASCII)
_SUFFIX_ALPHABET = string.ascii_uppercase + "012345"


def is_id(text: str, prefix: str = "") -> bool:
    """Return True if this is a record id with the given object prefix, such as "005"."""
    return bool(_ID.fullmatch(text)) and text.startswith(prefix)


def id_18(text: str) -> str:
    """Return the 18-character form. The suffix encodes which of the 15 characters are upper-case."""
    start = text[:15]
    suffix = ""
    for part in (start[0:5], start[5:10], start[10:15]):
        bits = sum(1 << index for index, character in enumerate(part) if character in string.ascii_uppercase)
        suffix += _SUFFIX_ALPHABET[bits]
    return start + suffix
