"""Tells a request of our own pages, or of a program, from one that a page of another site sent."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from authn.errors import ForeignOrigin


def refuse_foreign_origin(request: HttpRequest) -> None:
    """Raise ForeignOrigin for what a browser sent for another site's page. Programs send no Origin."""
    origin = request.headers.get("Origin", "")
    if origin and origin not in (settings.PUBLIC_URL, f"{request.scheme}://{request.get_host()}"):
        raise ForeignOrigin
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise ForeignOrigin
    referer = request.headers.get("Referer", "")
    if not origin and referer and urlsplit(referer).netloc != request.get_host():
        raise ForeignOrigin
