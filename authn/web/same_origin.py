"""The same-origin guard: whether a browser sent a request on behalf of a page of another site."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

# "none" is a request that the user made in the browser itself, such as by a bookmark.
_OWN_SITES = ("same-origin", "none")


def is_same_origin(request: HttpRequest) -> bool:
    """Return False for a request that a browser sent for a page of another site. Programs send no Origin."""
    if has_foreign_origin(request) or fetch_site(request) not in ("", *_OWN_SITES):
        return False
    referer = request.headers.get("Referer", "")
    return bool(request.headers.get("Origin")) or not referer or urlsplit(referer).netloc == request.get_host()


def has_foreign_origin(request: HttpRequest) -> bool:
    """Return True if the Origin header names another origin than this desk's."""
    origin = request.headers.get("Origin", "")
    return bool(origin) and origin.lower() not in own_origins(request)


def fetch_site(request: HttpRequest) -> str:
    """Return the Sec-Fetch-Site header in lower case, "" from a client that does not send it."""
    return request.headers.get("Sec-Fetch-Site", "").lower()


def is_own_fetch(request: HttpRequest) -> bool:
    """Return True if the browser states that a page of this desk, or the user, made the request."""
    return fetch_site(request) in _OWN_SITES


def own_origins(request: HttpRequest) -> set[str]:
    """Return the origins of this desk in lower case: the configured one, and the one of the request."""
    return {settings.PUBLIC_URL.lower(), f"{request.scheme}://{request.get_host()}".lower()}
