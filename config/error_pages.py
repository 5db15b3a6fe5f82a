"""Errors as a page, for people at a browser; programs get the same as JSON.

A page is drawn without asking the database who is looking: it may be what failed.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

# What a person can do: the API's own words are for programs.
_TEXTS: dict[int, tuple[str, str]] = {
    400: ("This request was refused", "Go back and try it another way."),
    403: ("You may not do this", "If you should be able to, ask an owner of this desk."),
    404: ("Nothing is here", "Check the address, or go on from the start page."),
    409: ("This cannot be done now", "Ask an owner of this desk."),
    410: ("This is no more", "Go on from the start page."),
    429: ("Too much at once", "Wait a little, then try again."),
    502: ("Salesforce refused", "Ask an owner of this desk."),
    503: ("Salesforce cannot be reached now", "Try again in a minute."),
    504: ("Salesforce did not answer in time", "Try again in a minute."),
    405: ("This does not work so", "Go on from the start page."),
    413: ("This is too large", "Send less at once."),
    500: ("Something went wrong", "Try again; if it stays, give the request's id to whoever runs this desk."),
}
# A 503 is Salesforce's unless its code says otherwise.
_OWN_TROUBLE: dict[str, tuple[str, str]] = {
    "DATABASE_UNAVAILABLE": ("The desk's database is unavailable", "Try again in a minute."),
    "AUDIT_UNAVAILABLE": ("The audit trail is unavailable", "Try again in a minute; if it stays, ask an operator."),
    "SEALED": ("This desk is sealed", "An operator must unseal it."),
    "LOGIN_BUSY": ("Too many log-ins at this moment", "Try again in a few seconds."),
    "SPOOL_UNAVAILABLE": ("The desk's disk is unavailable", "An operator must make room on it."),
    "SPOOL_UNREADABLE": ("A file on the desk's disk cannot be read", "An operator must make it readable."),
}
# These pages must not ask the database who reads them.
_WITHOUT_DATABASE = ("DATABASE_UNAVAILABLE", "AUDIT_UNAVAILABLE")
_API = "/sfp/"
# A page whose POST failed is reached again by its GET.
_AGAIN = ("GET", "POST")


def wants_page(request: HttpRequest) -> bool:
    """Tell a person at a browser from a program; the API always answers JSON, but for its one page."""
    path = request.path_info
    is_api = path.startswith(_API) and path != reverse("continue")
    return "text/html" in request.headers.get("Accept", "") and not is_api


def error_page(
    status: int, content: dict[str, Any], action: str = "", request: HttpRequest | None = None
) -> HttpResponse:
    """Return the page for an error body. `action` is what to do where it is known better than by the status.

    With the `request` that failed, the page shows who is logged in, and offers to try again where waiting helps.
    """
    heading, usual = _TEXTS.get(status, _TEXTS[400 if status < 500 else 500])
    heading, usual = _OWN_TROUBLE.get(content.get("code", ""), (heading, usual))
    if status == 404 and content.get("code") != "NOT_FOUND":
        heading = "This org was not found"
    message = str(content["message"])
    context = {
        "heading": heading,
        "message": "" if message.rstrip(".") == heading else message,
        "action": action or usual,
        "request_id": content["requestId"],
        "demo": settings.DEMO,
        "again": request.get_full_path() if request and status in (503, 504) and request.method in _AGAIN else "",
    }
    reader = None if content.get("code") in _WITHOUT_DATABASE else request
    return HttpResponse(render_to_string("error.html", context, reader), status=status)
