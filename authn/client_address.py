"""Tells a client's address without believing what a client says of itself."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the IP address of the caller, as the outermost proxy that we trust saw it.

    Each of the TRUSTED_PROXY_COUNT proxies appends the address that it saw to X-Forwarded-For, so
    only that many entries from the right are worth anything; with 0 the header is not read at all.
    """
    seen = _address_in(str(request.META.get("REMOTE_ADDR", "")))
    trusted = settings.TRUSTED_PROXY_COUNT
    if trusted < 1:
        return seen
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return _address_in(hops[-trusted]) or seen if len(hops) >= trusted else seen


def _address_in(text: str) -> str:
    """Return the IP address in `1.2.3.4`, `1.2.3.4:5678`, `::1` or `[::1]:5678`; "" for anything else."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""
