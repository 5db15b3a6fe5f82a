"""Salesforce record ids: 15 characters that tell case apart, or 18 that do not need it."""

import re
import string

_ID = re.compile(r"[a-zA-Z0-9]{15}(?:[A-Z0-5]{3})?", re.ASCII)
_SUFFIX_ALPHABET = string.ascii_uppercase + "012345"


def is_id(text: str, prefix: str = "") -> bool:
    """Tell whether this is a record id, of the object that `prefix` stands for."""
    return bool(_ID.fullmatch(text)) and text.startswith(prefix)


def id_18(text: str) -> str:
    """Return the 18-character form. The suffix says which of the 15 characters are capitals."""
    start = text[:15]
    suffix = ""
    for part in (start[0:5], start[5:10], start[10:15]):
        bits = sum(1 << place for place, character in enumerate(part) if character in string.ascii_uppercase)
        suffix += _SUFFIX_ALPHABET[bits]
    return start + suffix
