"""Errors as a page, for people at a browser; programs get the same as JSON.

A page is drawn without asking the database who is looking: it may be what failed.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

# What a person can do: the API's own words are for programs.
_TEXTS: dict[int, tuple[str, str]] = {
    400: ("This request was refused", "Go back and try it another way."),
    403: ("You may not do this", "If you should be able to, ask an owner of this desk."),
    404: ("Nothing is here", "Check the address, or go on from the start page."),
    405: ("This does not work so", "Go on from the start page."),
    413: ("This is too large", "Send less at once."),
    500: ("Something went wrong", "Try again; if it stays, give the request's id to whoever runs this desk."),
}
_API = "/sfp/"


def wants_page(request: HttpRequest) -> bool:
    """Tell a person at a browser from a program; the API always answers JSON."""
    return "text/html" in request.headers.get("Accept", "") and not request.path_info.startswith(_API)


def error_page(status: int, content: dict[str, Any], action: str = "") -> HttpResponse:
    """Return the page for an error body. `action` is what to do where it is known better than by the status."""
    heading, usual = _TEXTS.get(status, _TEXTS[400 if status < 500 else 500])
    message = str(content["message"])
    context = {
        "heading": heading,
        "message": "" if message.rstrip(".") == heading else message,
        "action": action or usual,
        "request_id": content["requestId"],
        "demo": settings.DEMO,
    }
    return HttpResponse(render_to_string("error.html", context), status=status)
