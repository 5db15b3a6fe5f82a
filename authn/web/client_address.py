"""The IP address of a client, as trusted proxies report it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: HttpRequest | Request) -> str:
    """Return the IP address of the caller, as seen by the outermost trusted proxy; "" if unknown.

    Each of the TRUSTED_PROXY_COUNT proxies appends the address that it saw to X-Forwarded-For, so only that
    many entries from the right can be trusted; with 0 the header is ignored.
    """
    seen = _address_in(str(request.META.get("REMOTE_ADDR", "")))
    trusted = settings.TRUSTED_PROXY_COUNT
    if trusted < 1:
        return seen
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return _address_in(hops[-trusted]) or seen if len(hops) >= trusted else seen


def address_block(address: str, *, ipv4_prefix: int, ipv6_prefix: int = 64) -> str:
    """Return the network of an address. One machine usually has an IPv6 /64, and one customer a /48.

    An IPv4-mapped IPv6 address counts as IPv4. An empty address gives "unknown".
    """
    if not address:
        return "unknown"
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(parsed), ipv6_prefix), strict=False))
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network(f"{parsed}/{ipv4_prefix}", strict=False))


def _address_in(text: str) -> str:
    """Return the IP address in `1.2.3.4`, `1.2.3.4:5678`, `::1` or `[::1]:5678`; "" for anything else."""
    # A zone, as in fe80::1%eth0, names an interface of the machine that saw the address; its length is unlimited.
    host = text.strip().partition("%")[0]
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""
