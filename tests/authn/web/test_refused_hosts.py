"""Host names that are not in ALLOWED_HOSTS: the operator finds the name in the log, and on the machine itself."""

import logging
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from authn.web import refused_hosts
from tests.bad_input.assertions import is_clear
from tests.orgs.factories import ORGS
from tests.support.api_client import ApiResponse, Caller

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def logged(caplog) -> Iterator[Callable[[], list[str]]]:
    """Return a function that returns what was logged."""
    refused_hosts.forget()
    with caplog.at_level(logging.WARNING, "frontdesk.hosts"):
        yield lambda: [record.getMessage() for record in caplog.records if record.name == "frontdesk.hosts"]
    refused_hosts.forget()


@pytest.mark.parametrize("path", [ORGS, "/login", "/auth", "/console/", "/", "/static/nothing.css"])
def test_a_refused_host_is_named_to_a_client_on_this_machine(path):
    response = Caller().send("GET", path, headers={"Host": "Desk.Internal:8443"})

    is_clear(response, 400)
    assert response.json()["code"] == "HOST_NOT_ALLOWED"
    assert response.json()["message"] == "desk.internal is not in ALLOWED_HOSTS of this desk."


def test_a_browser_on_this_machine_is_shown_it_too():
    response = Caller().send("GET", "/login", headers={"Host": "desk.internal", "Accept": "text/html"})

    assert response.status_code == 400
    assert "desk.internal is not in ALLOWED_HOSTS of this desk." in response.text


@pytest.mark.parametrize(("proxies", "address"), [(0, "203.0.113.9"), (1, "127.0.0.1")])
def test_it_is_not_named_to_other_clients(settings, proxies, address):
    settings.TRUSTED_PROXY_COUNT = proxies

    forwarded = {"Host": "desk.internal", "X-Forwarded-For": "203.0.113.9"}
    response = ApiResponse(Client().get(ORGS, headers=forwarded, REMOTE_ADDR=address))

    is_clear(response, 400)
    assert response.json()["code"] == "HOST_NOT_ALLOWED"
    assert "desk.internal" not in response.text


def test_a_refused_host_is_logged_once(logged):
    for _ in range(3):
        Caller().send("GET", ORGS, headers={"Host": "desk.internal"})
        Caller().send("GET", "/login", headers={"Host": "DESK.internal:443"})

    assert logged() == ["Refused requests to the host desk.internal: it is not in ALLOWED_HOSTS."]


def test_the_number_of_logged_hosts_is_limited(logged):
    for number in range(100):
        Caller().send("GET", ORGS, headers={"Host": f"scanner-{number}.example"})

    assert len(logged()) == refused_hosts.MAX_NAMES


@pytest.mark.parametrize(
    "host", ["a b", "<script>", "desk\u2028", "evil.example/path", "a" * 300, "user@desk.internal"]
)
def test_a_host_that_is_no_name_is_neither_logged_nor_shown(host, logged):
    response = Caller().send("GET", ORGS, headers={"Host": host})

    is_clear(response, 400)
    assert host not in response.text
    assert logged() == []
