"""Answers load balancers and people: whether this process lives, and whether it can serve.

Probes come by address, with any Host header, so they are answered before anything else looks at a request.
"""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from authn.loops import loops
from config.readiness import Readiness, check

# How long a request may take that is not stuck: a dozen calls to Salesforce, one after another, and the rest.
_CALLS, _REST_SECONDS = 12, 120.0
_FRESH_SECONDS = 1.0

_started: dict[int, float] = {}
_checking = threading.Lock()
_last: tuple[float, Readiness] | None = None


class HealthMiddleware:
    """Answers the probes, and notes for how long each thread has been serving its request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = _PROBES.get(request.path_info)
        if probe is not None and request.method in ("GET", "HEAD"):
            return probe(request)
        thread = threading.get_ident()
        _started[thread] = time.monotonic()
        try:
            return self.get_response(request)
        finally:
            _started.pop(thread, None)


@require_safe
def alive(_request: HttpRequest) -> JsonResponse:
    """`/livez`: this process can work. Asks nobody, so that a dead database does not get it killed.

    503 says that only a restart helps: a background loop has ended or hangs, or half of the threads do.
    """
    if stuck := [loop.name for loop in loops() if loop.is_stuck()]:
        return _not_alive(f"A background loop has stopped: {', '.join(stuck)}.")
    if _stuck_threads() >= max(1, settings.WEB_THREADS // 2):
        return _not_alive("Half of the threads are stuck.")
    return JsonResponse({"status": "alive"})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """`/readyz`: this process can hand out credentials. Answers within 2 seconds, and never asks Salesforce."""
    readiness = _readiness()
    content: dict[str, Any] = {"status": "unavailable" if readiness.code else "ready"}
    if readiness.code:
        content |= {"reason": readiness.reason, "code": readiness.code}
    content["checks"] = readiness.checks
    return JsonResponse(content, status=HTTPStatus.SERVICE_UNAVAILABLE if readiness.code else HTTPStatus.OK)


_PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {"/livez": alive, "/readyz": ready}


def forget() -> None:
    """Let the next probe check again."""
    global _last
    _last = None


def _not_alive(reason: str) -> JsonResponse:
    return JsonResponse({"status": "stuck", "reason": reason}, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _stuck_threads() -> int:
    limit = _REST_SECONDS + _CALLS * settings.SALESFORCE_TIMEOUT_SECONDS
    now = time.monotonic()
    return sum(now - began > limit for began in list(_started.values()))


def _readiness() -> Readiness:
    """Check, or give what was found within the last second: strangers may ask, as often as they like."""
    global _last
    with _checking:
        if _last is None or time.monotonic() - _last[0] >= _FRESH_SECONDS:
            found = check()
            _last = (time.monotonic(), found)
        return _last[1]
