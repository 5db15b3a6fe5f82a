"""Recognises requests of browsers and chats that fetch a link before the user follows it."""

from django.http import HttpRequest
from rest_framework.request import Request

_HEADERS = ("Sec-Purpose", "Purpose", "X-Moz", "X-Purpose")


def is_prefetch(request: HttpRequest | Request) -> bool:
    """Return True if a request is a prefetch, prerender or preview."""
    purposes = (request.headers.get(name, "") for name in _HEADERS)
    return any(word in purpose.lower() for purpose in purposes for word in ("prefetch", "prerender", "preview"))
