"""The id of a request, which its response, its log lines and its audit rows share."""

from django.http import HttpRequest
from rest_framework.request import Request

_KEY = "frontdesk.request_id"


def give_request_id(request: HttpRequest, request_id: str) -> None:
    """Set the id of a request. ResponseHeadersMiddleware does this before any other code runs."""
    request.META[_KEY] = request_id


def request_id_of(request: HttpRequest | Request) -> str:
    """Return the id of a request, or "" if no middleware has set one."""
    return str(request.META.get(_KEY, ""))
