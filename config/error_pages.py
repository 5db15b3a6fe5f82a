"""Error pages for browsers; programs get the same errors as JSON.

A page for a failure of the database is rendered without a query for the logged-in user.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from authn.errors import AuditUnavailable, LoginBusy
from config.error_bodies import ErrorBody
from config.framework_errors import DATABASE_UNAVAILABLE, MIGRATIONS_MISSING, NOT_FOUND
from orgs.credentials.errors import DeskSealed, SpoolUnavailable, SpoolUnreadable

_HEADINGS: dict[int, str] = {
    400: "This request was refused",
    403: "You are not allowed to do this",
    404: "Page not found",
    405: "This method is not supported",
    409: "This cannot be done now",
    410: "This no longer exists",
    413: "The request is too large",
    415: "This kind of request body is not supported",
    429: "Too many requests",
    500: "Something went wrong",
    502: "Salesforce refused the request",
    503: "Salesforce is unreachable",
    504: "Salesforce did not respond in time",
}
# A 503 means Salesforce unless its code is one of these.
_DESK_HEADINGS: dict[str, str] = {
    DATABASE_UNAVAILABLE.code: "The desk's database is unavailable",
    MIGRATIONS_MISSING.code: "The desk's database is not migrated",
    AuditUnavailable.code: "The audit trail is unavailable",
    DeskSealed.code: "This desk is sealed",
    LoginBusy.code: "Too many log-ins at this moment",
    SpoolUnavailable.code: "The desk's disk is unavailable",
    SpoolUnreadable.code: "A file on the desk's disk cannot be read",
}
# These pages must not query the database for the logged-in user.
_WITHOUT_DATABASE = (DATABASE_UNAVAILABLE.code, MIGRATIONS_MISSING.code, AuditUnavailable.code)
_API = "/sfp/"
# A page whose POST failed can be loaded again with GET.
_RETRYABLE = ("GET", "POST")


def wants_page(request: HttpRequest) -> bool:
    """Return True if a request comes from a browser. The API always responds with JSON, except for its one page."""
    path = request.path_info
    is_api = path.startswith(_API) and path != reverse("continue")
    return "text/html" in request.headers.get("Accept", "") and not is_api


def error_page(status: int, content: ErrorBody, request: HttpRequest | None = None) -> HttpResponse:
    """Return the page for an error body, whose action is the one for pages.

    With the `request` that failed, the page shows who is logged in, and a link to try again where waiting helps.
    """
    heading = _HEADINGS.get(status, _HEADINGS[400 if status < 500 else 500])
    heading = _DESK_HEADINGS.get(content["code"], heading)
    if status == 404 and content["code"] != NOT_FOUND.code:
        heading = "Org not found"
    message = content["message"]
    context = {
        "heading": heading,
        "message": "" if message.rstrip(".") == heading else message,
        "action": content["action"],
        "request_id": content["requestId"],
        "demo": settings.DEMO,
        "retry_path": request.get_full_path() if request and _is_retryable(request, status) else "",
    }
    reader = None if content["code"] in _WITHOUT_DATABASE else request
    return HttpResponse(render_to_string("error.html", context, reader), status=status)


def _is_retryable(request: HttpRequest, status: int) -> bool:
    return status in (503, 504) and request.method in _RETRYABLE
