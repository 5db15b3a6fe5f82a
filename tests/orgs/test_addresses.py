"""A host of Salesforce that resolves into a private network, asked for over the API."""

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


def test_a_host_in_a_private_network_is_refused_by_the_name_of_the_setting(owner: Any) -> None:
    answer = owner.post(REGISTER, {"sfdxAuthUrl": GOOD_AUTH_URL})

    is_clear(answer, 502)
    assert answer.json()["code"] == "UPSTREAM_ADDRESS_REFUSED"
    assert "SALESFORCE_ALLOWED_NETWORKS" in answer.json()["action"]
    assert rows() == 0


def test_a_host_in_a_network_that_the_operator_allows_is_connected_to(owner: Any, settings: Any) -> None:
    settings.SALESFORCE_ALLOWED_NETWORKS = ["127.0.0.0/8"]

    answer = owner.post(REGISTER, {"sfdxAuthUrl": GOOD_AUTH_URL})

    is_clear(answer, 503)
    assert answer.json()["code"] == "UPSTREAM_UNREACHABLE", "nothing listens there"
