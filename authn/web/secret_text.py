"""Recognises secrets in text fields, such as a token in the e-mail field."""

import re
from itertools import pairwise

# An application token, an auth URL, and Salesforce's session ids, refresh tokens and JWTs.
_MARKED = re.compile(
    r"fdt_[0-9a-z]{6}|force://|00d[0-9a-z]{12}(?:[0-9a-z]{3})?!|5aep[0-9a-z._]{12}|eyj[0-9a-z_-]{12,}\.",
    re.ASCII | re.IGNORECASE,
)
_RUN = re.compile(r"[0-9A-Za-z+/=_-]{20,}", re.ASCII)
_MIN_DIGITS, _MIN_CHANGES = 2, 7


def is_marked_secret(text: str) -> bool:
    """Return True if a text contains a token or an auth URL with a known prefix."""
    return _MARKED.search(text) is not None


def looks_like_a_secret(text: str) -> bool:
    """Return True if a text contains a marked secret, or a long run of random characters."""
    return is_marked_secret(text) or any(_looks_random(run) for run in _RUN.findall(text))


def _looks_random(run: str) -> bool:
    """Return True if a run alternates between digits, upper and lower case as often as random text does."""
    kinds = ["digit" if one.isdigit() else "upper" if one.isupper() else "lower" for one in run if one.isalnum()]
    changes = sum(first != second for first, second in pairwise(kinds))
    return kinds.count("digit") >= _MIN_DIGITS and changes >= _MIN_CHANGES
