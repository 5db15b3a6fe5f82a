"""Tells a browser or chat that fetches a link before anybody has clicked it."""

from typing import Any

_HEADERS = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")


def is_prefetch(request: Any) -> bool:
    """Tell whether a request, of Django or REST framework, only looks ahead."""
    purposes = (request.headers.get(name, "") for name in _HEADERS)
    return any(word in purpose.lower() for purpose in purposes for word in ("prefetch", "prerender", "preview"))
