"""Host names that ALLOWED_HOSTS lacks: named in the log, and in responses to clients on this machine.

A desk behind a new name otherwise refuses every request without a reason. Scanners send any number of names, so
few are logged, and only names that are well-formed.
"""

import ipaddress
import logging
import threading
import time

from django.http import HttpRequest
from django.http.request import split_domain_port

from authn.web.client_address import client_address

MAX_NAMES = 20
_DAY = 24 * 3600.0
_MAX_LENGTH = 253

logger = logging.getLogger("frontdesk.hosts")
_lock = threading.Lock()
_logged: dict[str, float] = {}


def log_refused_host(request: HttpRequest) -> None:
    """Log the refused host name of a request: each name once a day, and at most MAX_NAMES names a day."""
    name = _refused_name(request)
    if name and _is_new(name):
        logger.warning("Refused requests to the host %s: it is not in ALLOWED_HOSTS.", name)


def name_to_show(request: HttpRequest) -> str:
    """Return the refused host name for the response to a client on this machine, "" for any other client."""
    address = client_address(request)
    return _refused_name(request) if address and ipaddress.ip_address(address).is_loopback else ""


def forget() -> None:
    """Discard the names that were logged."""
    with _lock:
        _logged.clear()


def _refused_name(request: HttpRequest) -> str:
    """Return the host name of a request without its port, "" if it is not well-formed."""
    name, _ = split_domain_port(request.META.get("HTTP_HOST", ""))
    return name if len(name) <= _MAX_LENGTH else ""


def _is_new(name: str) -> bool:
    now = time.monotonic()
    with _lock:
        for old in [logged for logged, at in _logged.items() if now - at >= _DAY]:
            del _logged[old]
        if name in _logged or len(_logged) >= MAX_NAMES:
            return False
        _logged[name] = now
        return True
