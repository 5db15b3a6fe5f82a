"""The id of a request, by which its answer, its log lines and its audit rows find each other."""

from typing import Any

_KEY = "frontdesk.request_id"


def give_request_id(request: Any, request_id: str) -> None:
    """Note the id of a request. config/response_headers.py does so, before anything else is done with it."""
    request.META[_KEY] = request_id


def request_id_of(request: Any) -> str:
    """Return the id of a request, "" for one that never came through the web server."""
    return str(request.META.get(_KEY, ""))
