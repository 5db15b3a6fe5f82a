"""The client address of a request, with and without proxies."""

import pytest

from authn.web.client_address import client_address


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, "1.2.3.4", "127.0.0.1"),
        (1, "", "127.0.0.1"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "9.9.9.9, 1.2.3.4", "1.2.3.4"),
        (2, "9.9.9.9, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (2, "1.2.3.4", "127.0.0.1"),
        (1, "1.2.3.4:5678", "1.2.3.4"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "fe80::1%" + "z" * 5000, "fe80::1"),
        (1, "unknown", "127.0.0.1"),
        (1, "x" * 5000, "127.0.0.1"),
        (1, "1.2.3.4\x00", "127.0.0.1"),
    ],
)
def test_only_addresses_seen_by_trusted_proxies_are_used(rf, settings, trusted, forwarded, address):
    settings.TRUSTED_PROXY_COUNT = trusted

    assert client_address(rf.get("/", headers={"X-Forwarded-For": forwarded})) == address
