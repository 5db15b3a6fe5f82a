"""Which IP addresses may be connected to: global ones, and networks that the operator allows.

An admitted host name is only as trustworthy as the DNS that resolves it. One that resolves to a
loopback, private or link-local address would send requests into Frontdesk's own network, to a cloud
metadata service for example, with only TLS in the way.
"""

import ipaddress
import logging
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from urllib3.util.connection import allowed_gai_family

from orgs.salesforce import errors

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")  # RFC 9637; older Python versions treat it as global.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

logger = logging.getLogger("frontdesk.salesforce")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The addresses that may be connected to: global ones, and those in `allowed`."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def allowing(cls, networks: Iterable[str]) -> "AddressPolicy":
        """Return the policy that allows networks in CIDR notation. Raises ValueError."""
        return cls(tuple(ipaddress.ip_network(network) for network in networks))

    def admits(self, address: str) -> bool:
        """Return True if an address may be connected to."""
        ip = ipaddress.ip_address(address.partition("%")[0])
        inner = _inner(ip)
        if any(each in network for network in self.allowed for each in (ip, inner)):
            return True
        return _is_global(inner)

    def resolve(self, host: str, port: int) -> list[str]:
        """Return the admitted addresses of a host, in the order of the resolver.

        Raises AddressRefused if none of its addresses is admitted; OSError or UnicodeError if the name
        does not resolve.
        """
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)]
        admitted = [address for address in found if self.admits(address)]
        if not admitted:
            logger.warning("%s resolves to no allowed address, only to %s.", host, ", ".join(found))
            raise errors.AddressRefused
        return admitted


def _inner(ip: Address) -> Address:
    """Return the IPv4 address embedded in an IPv6 address (mapped, NAT64 or 6to4); any other unchanged."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _is_global(ip: Address) -> bool:
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    return ip.is_global and ip in _GLOBAL_UNICAST and ip not in _DOCUMENTATION
