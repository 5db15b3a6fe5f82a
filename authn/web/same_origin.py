"""Decides whether a browser sent a request on behalf of a page of another site."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def is_same_origin(request: HttpRequest) -> bool:
    """Return False for a request that a browser sent for a page of another site. Programs send no Origin."""
    origin = request.headers.get("Origin", "")
    if origin and origin not in (settings.PUBLIC_URL, f"{request.scheme}://{request.get_host()}"):
        return False
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return False
    referer = request.headers.get("Referer", "")
    return bool(origin) or not referer or urlsplit(referer).netloc == request.get_host()
