"""Faults of the emulator that are chosen over HTTP, as an operator of the demo does."""

import pytest
import requests

from orgs.salesforce.emulator import error_texts, fault_control
from orgs.salesforce.emulator.wire import Response
from tests.orgs.salesforce.test_emulator import HOST, ask, refusal


@pytest.fixture
def org(emulator):
    return emulator.add_org(HOST, username="ci@acme.example")


def _control(server, method, **request):
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, f"{server.url}/emulator/faults", timeout=5, **request)


def test_each_named_fault_can_be_chosen_over_http(emulator, org, served):
    url = org.auth_url()
    names = _control(served, "GET").json()

    assert set(names) == set(fault_control.FAULTS)
    for name in set(names) - {"reset", "truncated", "hang"}:
        expected = fault_control.FAULTS[name].change(Response(0))
        assert _control(served, "POST", json={"name": name}).status_code == 204

        with requests.post(f"{served.url}/services/oauth2/token", headers={"Host": HOST}, timeout=5) as response:
            assert (response.status_code, response.content) == (expected.status, expected.body), name
        assert ask(served, url)[0] == 200, "the fault is over"


def test_a_chosen_fault_lasts_until_it_is_ended(emulator, org, served):
    url = org.auth_url()
    _control(served, "POST", json={"name": "app-blocked", "host": HOST, "times": None})
    while_it_lasts = [ask(served, url), ask(served, url)]

    ended = _control(served, "DELETE")

    assert while_it_lasts == [refusal(error_texts.APP_BLOCKED)] * 2
    assert ended.status_code == 204
    assert ask(served, url)[0] == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"json": {"name": "unknown"}}, 400),
        ({"json": ["expired"]}, 400),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": {"name": "expired"}}, 405),
    ],
)
def test_a_fault_that_cannot_be_chosen_is_refused(emulator, org, served, request_, status):
    response = _control(served, "POST", **request_)

    assert response.status_code == status
    assert ask(served, org.auth_url())[0] == 200


def test_an_emulated_host_has_no_fault_control(emulator, org, served):
    response = _control(served, "GET", headers={"Host": HOST})

    assert response.status_code == 404
