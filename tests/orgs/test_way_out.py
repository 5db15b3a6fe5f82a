"""What callers and operators see when a request does not reach Salesforce: the host, and what is wrong."""

import logging
import socket
from datetime import timedelta

import pytest
from django.db.models import F

from authn.roles import Role
from orgs.credentials import concurrency
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Emulator, Fault, error_texts
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, TEST_CONNECTION, a_registered_org, an_org
from tests.support.browser_client import Visitor, text_of
from tests.support.proxy import Proxy

HOST = "ci.my.salesforce.com"
TOKEN_PATH = "/services/oauth2/token"
HINT = "HTTPS_PROXY is set in the environment, but the desk reads SALESFORCE_PROXY, which is not set."
KINDS = [
    (Fault.no_name(), 503, "UPSTREAM_UNREACHABLE", f"HOST_NOT_FOUND: {HOST} does not resolve."),
    (Fault.connection_refused(), 503, "UPSTREAM_UNREACHABLE", f"CONNECTION_REFUSED: {HOST} refused the connection."),
    (Fault.no_route(), 503, "UPSTREAM_UNREACHABLE", f"NO_ROUTE: {HOST} cannot be reached, because there is no route"),
    (Fault.proxy_refused(407), 503, "UPSTREAM_UNREACHABLE", f"refused to connect to {HOST}, with status 407."),
    (Fault.untrusted_certificate(), 502, "TLS_FAILED", f"TLS_FAILED: {HOST} has no trusted certificate."),
    (Fault.hang(60), 504, "UPSTREAM_TIMEOUT", f"RESPONSE_TIMED_OUT: {HOST} sent no complete response in time."),
    (Fault.reset(), 503, "UPSTREAM_LOST", f"CONNECTION_LOST: {HOST}"),
]


@pytest.fixture(autouse=True)
def _no_proxy_in_the_environment(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.database
def test_the_answer_the_health_and_the_log_name_host_and_kind(owner, salesforce, caplog, each):
    a_registered_org(owner, salesforce)
    for fault, status, code, text in KINDS:
        with each(fault.name):
            caplog.clear()
            salesforce.inject(fault, path=TOKEN_PATH)

            response = owner.post(ACCESS_TOKEN, username="ci@acme.example")

            assert response.refusal == (status, code), response
            assert text in response.json()["message"]
            assert [text in record.getMessage() for record in _logged(caplog)] == [True]
            assert text in Credential.objects.get().outcome_detail


def test_a_connection_test_names_host_and_kind(owner, salesforce):
    a_registered_org(owner, salesforce)
    salesforce.inject(Fault.no_name(), path=TOKEN_PATH)

    response = owner.post(TEST_CONNECTION, username="ci@acme.example")

    assert response.json()["code"] == "UPSTREAM_UNREACHABLE"
    assert f"HOST_NOT_FOUND: {HOST} does not resolve." in response.json()["error"]


def test_a_page_that_salesforce_does_not_serve_points_to_the_proxy(owner, salesforce):
    org = an_org(salesforce)
    salesforce.inject(Fault.status(403, error_texts.PROXY_PAGE, "text/html"), path=TOKEN_PATH)

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    assert response.refusal == (502, "UPSTREAM_UNREADABLE")
    assert "with status 403 that Salesforce does not serve: a proxy or firewall" in response.json()["message"]


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_that_only_the_environment_names_is_pointed_out(owner, salesforce, caplog, monkeypatch, name):
    org = an_org(salesforce)
    monkeypatch.setenv(name, "http://user:PROXYSECRET@proxy.acme.example:3128")
    salesforce.inject(Fault.no_name(), path=TOKEN_PATH)

    response = owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    hint = HINT.replace("HTTPS_PROXY", name, 1)
    assert hint in response.json()["message"]
    assert hint in caplog.text
    assert "PROXYSECRET" not in response.text + caplog.text


# --- A real proxy --------------------------------------------------------------------------------------


@pytest.fixture
def behind_tls(settings):
    """Serve an emulated Salesforce by TLS on loopback, which only a proxy leads to; return it with its port."""
    emulator = Emulator()
    with emulator.serve(tls=True) as server:
        settings.SALESFORCE_CA_BUNDLE = server.ca_bundle
        concurrency._client.cache_clear()
        yield emulator, server.port


def test_a_proxy_carries_every_request(owner, behind_tls, settings):
    emulator, port = behind_tls
    with Proxy(tunnels_to=port) as proxy:
        settings.SALESFORCE_PROXY = proxy.url

        response = owner.post(REGISTER, {"sfdxAuthUrl": an_org(emulator).auth_url()})

    assert response.status_code == 201, response
    assert {head.split()[1] for head in proxy.heads} == {f"{HOST}:443".encode()}


@pytest.mark.parametrize("status", [403, 407, 502, 503])
def test_a_proxy_that_refuses_is_named_with_its_status(owner, behind_tls, settings, caplog, monkeypatch, status):
    emulator, _ = behind_tls
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.acme.example:3128")
    with Proxy(refuses_with=status) as proxy:
        settings.SALESFORCE_PROXY = proxy.url.replace("//", "//user:PROXYSECRET@")
        url = an_org(emulator).auth_url()

        response = owner.post(REGISTER, {"sfdxAuthUrl": url})

    text = f"PROXY_REFUSED: the proxy in SALESFORCE_PROXY refused to connect to {HOST}, with status {status}."
    assert response.refusal == (503, "UPSTREAM_UNREACHABLE")
    assert response.headers["Retry-After"] == "30"
    assert text in response.json()["message"]
    assert text in caplog.text
    assert "HTTPS_PROXY" not in response.text
    assert "PROXYSECRET" not in response.text + caplog.text
    assert url.split(":")[3].encode() not in b"".join(proxy.heads)
    assert Credential.objects.count() == 0, "nothing was sent, so no token can be lost"


def test_a_proxy_that_is_not_there_is_named(owner, behind_tls, settings):
    emulator, _ = behind_tls
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings.SALESFORCE_PROXY = f"http://127.0.0.1:{port}"

    response = owner.post(REGISTER, {"sfdxAuthUrl": an_org(emulator).auth_url()})

    assert response.refusal == (503, "UPSTREAM_UNREACHABLE")
    assert "PROXY_UNREACHABLE: the proxy in SALESFORCE_PROXY refused the connection." in response.json()["message"]


def test_a_certificate_that_is_not_trusted_is_named(owner, behind_tls, settings):
    emulator, port = behind_tls
    settings.SALESFORCE_CA_BUNDLE = ""
    with Proxy(tunnels_to=port) as proxy:
        settings.SALESFORCE_PROXY = proxy.url

        response = owner.post(REGISTER, {"sfdxAuthUrl": an_org(emulator).auth_url()})

    assert response.refusal == (502, "TLS_FAILED")
    assert f"TLS_FAILED: {HOST} has no trusted certificate (self-signed certificate)." in response.json()["message"]
    assert emulator.calls == []


def test_a_host_that_does_not_resolve_is_named(owner, settings, monkeypatch):
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    concurrency._client.cache_clear()
    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    response = owner.post(REGISTER, {"sfdxAuthUrl": an_org(Emulator()).auth_url()})

    assert response.refusal == (503, "UPSTREAM_UNREACHABLE")
    text = f"HOST_NOT_FOUND: {HOST} could not be resolved, because no name server responded."
    assert text in response.json()["message"]


def _logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "frontdesk.salesforce"]


# --- A host that has not resolved for a day -------------------------------------------------------------


def _fail_to_resolve(owner, salesforce, *, days_ago: float = 0):
    """Make one request whose host does not resolve, and move its time into the past."""
    salesforce.inject(Fault.no_name(), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, username="ci@acme.example")
    Credential.objects.update(unresolved_since=F("unresolved_since") - timedelta(days=days_ago))


@pytest.mark.database
def test_a_host_that_has_not_resolved_for_a_day_is_shown_in_health(owner, member, salesforce):
    a_registered_org(owner, salesforce)
    _fail_to_resolve(owner, salesforce, days_ago=0.9)
    _fail_to_resolve(owner, salesforce)
    before = member.get(ORG, username="ci@acme.example").json()["health"]
    _fail_to_resolve(owner, salesforce, days_ago=0.2)
    _fail_to_resolve(owner, salesforce)

    after = member.get(ORG, username="ci@acme.example").json()["health"]

    assert before["state"] == "healthy"
    assert before["unresolvedSince"]
    assert (after["state"], after["reason"]) == ("failing", "HOST_NOT_FOUND")
    assert after["unresolvedSince"] < before["unresolvedSince"]
    assert after["detail"] == f"HOST_NOT_FOUND: {HOST} does not resolve."


@pytest.mark.database
def test_a_host_that_resolves_again_is_healthy(owner, member, salesforce):
    a_registered_org(owner, salesforce)
    _fail_to_resolve(owner, salesforce, days_ago=2)
    _fail_to_resolve(owner, salesforce)

    owner.post(ACCESS_TOKEN, username="ci@acme.example")

    health = member.get(ORG, username="ci@acme.example").json()["health"]
    assert health["state"] == "healthy"
    assert not {"reason", "detail", "unresolvedSince"} & health.keys()


def test_only_failures_in_a_row_count_as_a_day(owner, member, salesforce):
    a_registered_org(owner, salesforce)
    _fail_to_resolve(owner, salesforce, days_ago=2)
    salesforce.inject(Fault.connection_refused(), path=TOKEN_PATH)
    owner.post(ACCESS_TOKEN, username="ci@acme.example")
    _fail_to_resolve(owner, salesforce)

    assert member.get(ORG, username="ci@acme.example").json()["health"]["state"] == "healthy"


def test_the_console_shows_a_host_that_has_not_resolved_for_a_day(owner, salesforce, a_person):
    a_registered_org(owner, salesforce)
    _fail_to_resolve(owner, salesforce, days_ago=2)
    _fail_to_resolve(owner, salesforce)

    console = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))
    page_path = f"/console/orgs/salesforceorg/{SalesforceOrg.objects.get().pk}/change/"
    dashboard, page = text_of(console.get("/console/")), text_of(console.get(page_path))

    for shown in (dashboard, page):
        assert "HOST_NOT_FOUND" in shown
        assert f"{HOST} does not resolve." in shown
    assert "Host not found since" in page
