"""What the search of the audit finds: whole ids and codes, starts of names, addresses and networks.

Each condition is served by an index, so a search does not read the whole audit.
"""

import ipaddress
import re
from itertools import pairwise

from django.db.models import Q

# One statement compares at most this many addresses, those of an IPv4 /25.
_MAX_ADDRESSES = 128
_GROUP_BITS = 16
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class UnsupportedNetwork(Exception):
    """The network has too many addresses to compare, and its addresses have no common start as texts."""

    def __init__(self) -> None:
        super().__init__("Search for an IPv4 network of /8, /16, /24 or longer, or an IPv6 network of /32, /48 or /64.")


def condition(text: str) -> Q:
    """Return the condition of a search text. Raises UnsupportedNetwork."""
    text = text.strip()
    if (network := _network(text)) is not None:
        return _in_network(network)
    found = (
        Q(target_label__istartswith=text)
        | Q(actor_name__istartswith=text)
        | Q(target_id=text)
        | Q(actor_id=text)
        | Q(code=text.upper())
        | Q(request_id=text)
        | Q(fingerprint=text.removeprefix("fingerprint:"))
    )
    if _FINGERPRINT.fullmatch(text):
        # A secret that was typed in place of a name is stored as its fingerprint.
        stored = f"fingerprint:{text}"
        found |= Q(target_label__istartswith=stored) | Q(actor_name__istartswith=stored)
    return found


def _network(text: str) -> _Network | None:
    """Return the network or single address that a text is, None for any other text."""
    try:
        return ipaddress.ip_network(text, strict=False) if "." in text or ":" in text else None
    except ValueError:
        return None


def _in_network(network: _Network) -> Q:
    if network.num_addresses <= _MAX_ADDRESSES:
        return Q(address__in=[str(address) for address in network])
    starts = _ipv4_starts(network) if isinstance(network, ipaddress.IPv4Network) else _ipv6_starts(network)
    found = Q()
    for start in starts:
        found |= Q(address__startswith=start)
    return found


def _ipv4_starts(network: ipaddress.IPv4Network) -> list[str]:
    if network.prefixlen not in (8, 16, 24):
        raise UnsupportedNetwork
    return [".".join(str(network.network_address).split(".")[: network.prefixlen // 8]) + "."]


def _ipv6_starts(network: ipaddress.IPv6Network) -> list[str]:
    """Return the starts of the texts of the addresses in a network.

    A text shortens the longest run of zero groups to `::`. Only a run of at most two at the end of the network's own
    groups is supported: from the text of a longer one, it cannot be seen how many groups it stands for.
    """
    groups = [f"{int(group, 16):x}" for group in network.network_address.exploded.split(":")]
    own = groups[: network.prefixlen // _GROUP_BITS]
    if network.prefixlen not in (32, 48, 64) or own[0] == "0":
        raise UnsupportedNetwork
    named = len(own) - next((back for back, group in enumerate(reversed(own)) if group != "0"), len(own))
    if len(own) - named > 2 or any(first == second == "0" for first, second in pairwise(own[:named])):
        raise UnsupportedNetwork
    starts = [":".join(own) + ":"]
    return starts if named == len(own) else [*starts, ":".join(own[:named]) + "::"]
