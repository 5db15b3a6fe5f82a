"""Registration of an org whose host resolves to a private network."""

import socket
from typing import Any

import pytest

from orgs.credentials import concurrency
from tests.bad_input.assertions import GOOD_AUTH_URL, is_clear, rows
from tests.orgs.factories import REGISTER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name resolve to loopback, on a port where nothing listens."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, _port, *rest: resolve("127.0.0.1", 1, *rest))
    concurrency._client.cache_clear()


def test_a_host_in_a_private_network_is_refused_and_the_setting_is_named(owner: Any) -> None:
    response = owner.post(REGISTER, {"sfdxAuthUrl": GOOD_AUTH_URL})

    is_clear(response, 502)
    assert response.json()["code"] == "UPSTREAM_ADDRESS_REFUSED"
    assert "SALESFORCE_ALLOWED_NETWORKS" in response.json()["action"]
    assert rows() == 0


def test_a_host_in_an_allowed_network_is_connected_to(owner: Any, settings: Any) -> None:
    settings.SALESFORCE_ALLOWED_NETWORKS = ["127.0.0.0/8"]

    response = owner.post(REGISTER, {"sfdxAuthUrl": GOOD_AUTH_URL})

    is_clear(response, 503)
    assert response.json()["code"] == "UPSTREAM_UNREACHABLE", "nothing listens there"
