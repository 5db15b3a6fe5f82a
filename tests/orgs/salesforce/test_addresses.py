"""Which IP addresses may be connected to, and that the checked one is the one connected to."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from orgs.salesforce import errors
from orgs.salesforce.addresses import AddressPolicy
from tests.orgs.salesforce.raw_server import EMPTY_OBJECT, RawServer, says, tunnels_to

HOST = "acme.my.salesforce.com"
URL = f"https://{HOST}/services/data"
GLOBAL, OTHER_GLOBAL, GLOBAL_6 = "13.108.0.1", "13.108.0.2", "2606:4700::1"

REFUSED = {
    "loopback": "127.0.0.1",
    "any loopback": "127.200.0.1",
    "this host": "0.0.0.0",  # noqa: S104  # it is refused
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "metadata service": "169.254.169.254",
    "shared": "100.64.0.1",
    "end of shared": "100.127.255.255",
    "protocol assignments": "192.0.0.1",
    "documentation": "192.0.2.1",
    "benchmarks": "198.18.0.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "loopback 6": "::1",
    "unspecified 6": "::",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped shared": "::ffff:100.64.0.1",
    "compatible loopback": "::127.0.0.1",
    "link-local 6": "fe80::1",
    "link-local 6 with a zone": "fe80::1%eth0",
    "site-local 6": "fec0::1",
    "unique local": "fc00::1",
    "metadata service 6": "fd00:ec2::254",
    "multicast 6": "ff02::1",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64 of private": "64:ff9b::a00:1",
    "NAT64 of the metadata service": "64:ff9b::a9fe:a9fe",
    "NAT64 of a network of its own": "64:ff9b:1::d6c:1",
    "6to4 of private": "2002:a00:1::1",
    "Teredo": "2001:0:a00:1::1",
    "documentation 6": "2001:db8::1",
    "newer documentation 6": "3fff::1",
    "discard only": "100::1",
    "segment routing": "5f00::1",
}
ADMITTED = {
    "global": GLOBAL,
    "beside shared": "100.128.0.1",
    "beside private": "172.32.0.1",
    "global 6": GLOBAL_6,
    "mapped global": f"::ffff:{GLOBAL}",
    "NAT64 of global": "64:ff9b::d6c:1",
    "6to4 of global": "2002:d6c:1::1",
}


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_an_address_that_is_not_on_the_internet_is_refused(address):
    assert AddressPolicy().admits(address) is False


@pytest.mark.parametrize("address", ADMITTED.values(), ids=ADMITTED)
def test_an_address_on_the_internet_is_admitted(address):
    assert AddressPolicy().admits(address) is True


@pytest.mark.parametrize(
    ("address", "is_admitted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("64:ff9b::a01:203", True),
        ("10.2.0.1", False),
        ("fd12::5", True),
        ("fd13::5", False),
        ("127.0.0.1", False),
        (GLOBAL, True),
    ],
)
def test_a_network_that_the_operator_allows_is_admitted_and_no_other(address, is_admitted):
    assert AddressPolicy.allowing(["10.1.0.0/16", "fd12::/32"]).admits(address) is is_admitted


# --- Connecting --------------------------------------------------------------------------------------


class Resolver:
    """Resolves names to a list of answers in turn; a connection to any address reaches one port of this machine."""

    def __init__(self, port: int) -> None:
        self.answers: list[list[str]] = []
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self._port = port
        self._resolve = socket.getaddrinfo

    def __call__(self, host: str, port: int, *rest: Any) -> list[Any]:
        if host.endswith(".salesforce.com"):
            self.asked.append(host)
            addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return [found for address in addresses for found in self._resolve(address, port, *rest)]
        self.dialled.append(host)
        return self._resolve("127.0.0.1", self._port, *rest)


@pytest.fixture
def resolver(monkeypatch, served_with_tls) -> Resolver:
    resolver = Resolver(served_with_tls.port)
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.fixture
def send(a_transport, served_with_tls, emulator) -> Callable[..., int]:
    """Send one request to HOST over TLS, and return the status."""
    emulator.add_org(HOST, username="ci@acme.example")

    def send(**options: Any) -> int:
        return int(a_transport(ca_bundle=served_with_tls.ca_bundle, **options).send("GET", URL).status)

    return send


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_host_that_resolves_into_the_own_network_is_not_connected_to(resolver, send, emulator, caplog, address):
    resolver.answers = [[address]]

    with pytest.raises(errors.AddressRefused):
        send()

    assert resolver.dialled == []
    assert emulator.calls == []
    assert f"{HOST} resolves to no allowed address, only to {address}." in caplog.text


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(resolver, send):
    resolver.answers = [[GLOBAL], ["127.0.0.1"]]

    assert send() == 200

    assert (resolver.asked, resolver.dialled) == ([HOST], [GLOBAL])


def test_a_name_that_fails_to_resolve_is_not_resolved_again(monkeypatch, resolver, send):
    resolver.answers = [["127.0.0.1"]]
    first = [socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")]

    def fail_once(host: str, *rest: Any) -> list[Any]:
        if host == HOST and first:
            raise first.pop()
        return resolver(host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", fail_once)

    with pytest.raises(errors.Unreachable) as caught:
        send()

    assert type(caught.value) is errors.HostNotFound
    assert (resolver.asked, resolver.dialled) == ([], [])


def test_a_name_that_comes_to_resolve_into_the_own_network_is_refused_from_then_on(resolver, send):
    resolver.answers = [[GLOBAL], ["127.0.0.1"]]
    assert send() == 200

    with pytest.raises(errors.AddressRefused):
        send()

    assert resolver.dialled == [GLOBAL]


def test_only_the_addresses_on_the_internet_are_used_of_several(resolver, send):
    resolver.answers = [["127.0.0.1", GLOBAL_6, "10.0.0.1", GLOBAL]]

    assert send() == 200

    assert resolver.dialled == [GLOBAL_6]


def test_the_next_admitted_address_is_tried_when_one_refuses(monkeypatch, resolver, send):
    resolver.answers = [[GLOBAL, "127.0.0.1", OTHER_GLOBAL]]

    def refusing(host: str, *rest: Any) -> list[Any]:
        found = resolver(host, *rest)
        # No process listens on this port.
        return [(*each[:4], ("127.0.0.1", 1)) for each in found] if host == GLOBAL else found

    monkeypatch.setattr(socket, "getaddrinfo", refusing)

    assert send() == 200

    assert resolver.dialled == [GLOBAL, OTHER_GLOBAL]


def test_a_network_that_the_operator_allows_is_connected_to(resolver, send):
    resolver.answers = [["10.20.0.1"]]

    assert send(allowed_networks=["10.20.0.0/16"]) == 200

    assert resolver.dialled == ["10.20.0.1"]


def test_the_certificate_must_still_be_for_the_host(resolver, a_transport, served_with_tls, emulator):
    resolver.answers = [[GLOBAL]]
    transport = a_transport(ca_bundle=served_with_tls.ca_bundle)

    with pytest.raises(errors.TLSFailed):
        transport.send("GET", "https://na139.salesforce.com/services/data")

    assert resolver.dialled == [GLOBAL]
    assert emulator.calls == []


def test_a_proxy_may_be_in_the_own_network_and_resolves_names_itself(monkeypatch, send, served_with_tls):
    def resolve(host: str, *rest: Any) -> list[Any]:
        assert host == "127.0.0.1", "the proxy alone is looked up"
        return original(host, *rest)

    original = socket.getaddrinfo
    with RawServer(tunnels_to(served_with_tls.port)) as proxy:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)

        assert send(proxy=proxy.url) == 200


def test_the_gateway_of_the_demo_may_be_on_this_machine(a_transport):
    with RawServer(says(EMPTY_OBJECT)) as gateway:
        assert a_transport(gateway=gateway.url).send("GET", URL).status == 200
