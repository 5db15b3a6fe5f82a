"""Liveness and readiness probes for load balancers: `/livez` and `/readyz`.

Probes use the process's address and any Host header, so a middleware responds before other code reads the request.
"""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from authn.loops import loops
from config.readiness import Readiness, check

# A request that takes longer than a dozen consecutive calls to Salesforce, and this many seconds, is stuck.
_MAX_CALLS, _EXTRA_SECONDS = 12, 120.0
_FRESH_SECONDS = 1.0

_started: dict[int, float] = {}
_checking = threading.Lock()
_last: tuple[float, Readiness] | None = None


class HealthMiddleware:
    """Responds to probes, and records since when each thread has been serving its request."""

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
    """`/livez`: the process is working. Depends on nothing else, so a failed database does not restart it.

    503 means that only a restart helps: a background loop has ended or is stuck, or half of the threads are.
    """
    if stuck := [loop.name for loop in loops() if loop.is_stuck()]:
        return _not_alive(f"A background loop has stopped: {', '.join(stuck)}.")
    if _stuck_threads() >= max(1, settings.WEB_THREADS // 2):
        return _not_alive("Half of the threads are stuck.")
    return JsonResponse({"status": "alive"})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """`/readyz`: the process can issue credentials. Responds within 2 seconds, and never calls Salesforce."""
    readiness = _readiness()
    content: dict[str, object] = {"status": "unavailable" if readiness.code else "ready"}
    if readiness.code:
        content |= {"reason": readiness.reason, "code": readiness.code}
    content["checks"] = readiness.checks
    return JsonResponse(content, status=HTTPStatus.SERVICE_UNAVAILABLE if readiness.code else HTTPStatus.OK)


_PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {"/livez": alive, "/readyz": ready}


def forget() -> None:
    """Discard the cached readiness."""
    global _last
    _last = None


def _not_alive(reason: str) -> JsonResponse:
    return JsonResponse({"status": "stuck", "reason": reason}, status=HTTPStatus.SERVICE_UNAVAILABLE)


def _stuck_threads() -> int:
    limit = _EXTRA_SECONDS + _MAX_CALLS * settings.SALESFORCE_TIMEOUT_SECONDS
    now = time.monotonic()
    return sum(now - began > limit for began in list(_started.values()))


def _readiness() -> Readiness:
    """Return the readiness, at most one second old: the probe is public."""
    global _last
    with _checking:
        if _last is None or time.monotonic() - _last[0] >= _FRESH_SECONDS:
            found = check()
            _last = (time.monotonic(), found)
        return _last[1]
