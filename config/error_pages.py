"""Error pages for browsers; programs get the same errors as JSON.

A page for a failure of the database is rendered without a query for the logged-in user.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from config.error_bodies import ErrorBody

# Heading and action by status. The action of the error body is about the API.
_TEXTS: dict[int, tuple[str, str]] = {
    400: ("This request was refused", "Go back and correct it, then try again."),
    403: ("You are not allowed to do this", "If you should be, contact an owner of this desk."),
    404: ("Page not found", "Check the address, or continue from the start page."),
    409: ("This cannot be done now", "Contact an owner of this desk."),
    410: ("This no longer exists", "Continue from the start page."),
    429: ("Too many requests", "Wait a little, then try again."),
    502: ("Salesforce refused the request", "Contact an owner of this desk."),
    503: ("Salesforce is unreachable", "Try again in a minute."),
    504: ("Salesforce did not respond in time", "Try again in a minute."),
    405: ("This method is not supported", "Continue from the start page."),
    413: ("The request is too large", "Send less at once."),
    500: (
        "Something went wrong",
        "Try again. If the error persists, give the request id to the operator of this desk.",
    ),
}
# A 503 means Salesforce unless its code is one of these.
_DESK_TEXTS: dict[str, tuple[str, str]] = {
    "DATABASE_UNAVAILABLE": ("The desk's database is unavailable", "Try again in a minute."),
    "AUDIT_UNAVAILABLE": (
        "The audit trail is unavailable",
        "Try again in a minute. If the error persists, contact an operator.",
    ),
    "SEALED": ("This desk is sealed", "An operator must unseal it."),
    "LOGIN_BUSY": ("Too many log-ins at this moment", "Try again in a few seconds."),
    "SPOOL_UNAVAILABLE": ("The desk's disk is unavailable", "An operator must free space on it."),
    "SPOOL_UNREADABLE": ("A file on the desk's disk cannot be read", "An operator must make it readable."),
}
# These pages must not query the database for the logged-in user.
_WITHOUT_DATABASE = ("DATABASE_UNAVAILABLE", "AUDIT_UNAVAILABLE")
_API = "/sfp/"
# A page whose POST failed can be loaded again with GET.
_RETRYABLE = ("GET", "POST")


def wants_page(request: HttpRequest) -> bool:
    """Return True if a request comes from a browser. The API always responds with JSON, except for its one page."""
    path = request.path_info
    is_api = path.startswith(_API) and path != reverse("continue")
    return "text/html" in request.headers.get("Accept", "") and not is_api


def error_page(status: int, content: ErrorBody, action: str = "", request: HttpRequest | None = None) -> HttpResponse:
    """Return the page for an error body; `action` replaces the usual action of the status.

    With the `request` that failed, the page shows who is logged in, and a link to try again where waiting helps.
    """
    heading, usual = _TEXTS.get(status, _TEXTS[400 if status < 500 else 500])
    heading, usual = _DESK_TEXTS.get(content["code"], (heading, usual))
    if status == 404 and content["code"] != "NOT_FOUND":
        heading = "Org not found"
    message = content["message"]
    context = {
        "heading": heading,
        "message": "" if message.rstrip(".") == heading else message,
        "action": action or usual,
        "request_id": content["requestId"],
        "demo": settings.DEMO,
        "retry_path": request.get_full_path() if request and _is_retryable(request, status) else "",
    }
    reader = None if content["code"] in _WITHOUT_DATABASE else request
    return HttpResponse(render_to_string("error.html", context, reader), status=status)


def _is_retryable(request: HttpRequest, status: int) -> bool:
    return status in (503, 504) and request.method in _RETRYABLE
