"""Tells a path of this desk from an address that leads elsewhere, for whoever is sent on after a log-in."""

import re

from django.utils.http import url_has_allowed_host_and_scheme

_MAX_LENGTH = 2000
# One slash, then neither a slash nor a backslash, which browsers take for one; no space or control character,
# which they drop.
_SHAPE = re.compile(r"/(?:[^\s\\/\x00-\x1f\x7f][^\s\\\x00-\x1f\x7f]*)?\Z")


def local_path(text: str) -> str:
    """Return a path of this desk with its query, or "" for anything that could lead to another host."""
    if len(text) > _MAX_LENGTH or not _SHAPE.match(text):
        return ""
    return text if url_has_allowed_host_and_scheme(text, allowed_hosts=None) else ""
