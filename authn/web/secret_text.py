"""Recognises secrets that were typed where a name belongs, such as a token in the field for e-mail."""

import re
from itertools import pairwise

# A token of ours, an auth URL, and Salesforce's session ids, refresh tokens and JWTs.
_MARKED = re.compile(
    r"fdt_[0-9a-z]{6}|force://|00d[0-9a-z]{12}(?:[0-9a-z]{3})?!|5aep[0-9a-z._]{12}|eyj[0-9a-z_-]{12,}\.",
    re.ASCII | re.IGNORECASE,
)
_RUN = re.compile(r"[0-9A-Za-z+/=_-]{20,}", re.ASCII)
_LEAST_DIGITS, _LEAST_CHANGES = 2, 7


def is_marked_secret(text: str) -> bool:
    """Return True if a text holds what can be nothing but a token or an auth URL."""
    return _MARKED.search(text) is not None


def looks_like_a_secret(text: str) -> bool:
    """Return True if a text holds a marked secret, or a long run that looks random."""
    return is_marked_secret(text) or any(_looks_random(run) for run in _RUN.findall(text))


def _looks_random(run: str) -> bool:
    """Return True if a run changes between digits, capitals and small letters as often as random text does."""
    kinds = ["digit" if one.isdigit() else "capital" if one.isupper() else "small" for one in run if one.isalnum()]
    changes = sum(first != second for first, second in pairwise(kinds))
    return kinds.count("digit") >= _LEAST_DIGITS and changes >= _LEAST_CHANGES
