"""The surroundings of a request: environment, proxies, certificates and logs."""

import logging
import socket

import pytest

from orgs.salesforce import AuthUrl, HostPolicy, SalesforceClient, errors
from tests.orgs.salesforce.raw_server import (
    EMPTY_OBJECT,
    RawServer,
    hears_and_resets,
    leaves,
    resets,
    says,
    says_and_leaves,
    tunnels_to,
)

URL = "https://acme.my.salesforce.com/services/data"
PROXY_NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")


@pytest.fixture
def decoy(monkeypatch):
    """A proxy in the environment."""
    with RawServer(leaves) as server:
        for name in PROXY_NAMES:
            monkeypatch.setenv(name, server.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield server


def test_a_proxy_in_the_environment_is_ignored_for_http(decoy, a_transport, served):
    response = a_transport(gateway=served.url).send("GET", "https://login.salesforce.com/services/data")

    assert response.status == 200
    assert decoy.connections == 0


def test_a_proxy_in_the_environment_is_ignored_for_https(decoy, a_transport, served_with_tls):
    transport = a_transport(gateway=served_with_tls.url, ca_bundle=served_with_tls.ca_bundle)

    response = transport.send("GET", "https://login.salesforce.com/services/data")

    assert response.status == 200
    assert decoy.connections == 0


def test_a_netrc_file_is_ignored(monkeypatch, tmp_path, a_transport):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password something\ndefault login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with RawServer(says(EMPTY_OBJECT)) as server:
        a_transport(gateway=server.url).send("GET", URL)

    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_certificate_bundle_in_the_environment_is_ignored(monkeypatch, a_transport, served_with_tls, emulator, name):
    monkeypatch.setenv(name, served_with_tls.ca_bundle)
    transport = a_transport(gateway=served_with_tls.url)

    with pytest.raises(errors.TLSFailed):
        transport.send("GET", URL)

    assert emulator.calls == []


def test_an_untrusted_certificate_fails_before_anything_is_sent(a_transport, served_with_tls, emulator):
    transport = a_transport(gateway=served_with_tls.url)

    with pytest.raises(errors.TLSFailed):
        transport.send("POST", URL, form={"refresh_token": "REFRESHSECRET"})

    assert emulator.calls == []


def test_a_configured_proxy_carries_the_request_to_the_true_host(a_transport, served_with_tls, emulator):
    emulator.add_org("acme.my.salesforce.com", username="ci@acme.example")
    with RawServer(tunnels_to(served_with_tls.port)) as proxy:
        transport = a_transport(proxy=proxy.url, ca_bundle=served_with_tls.ca_bundle)
        response = transport.send("GET", URL)
        transport.close()

    assert response.status == 200
    assert proxy.requests[0].startswith(b"CONNECT acme.my.salesforce.com:443 ")
    assert [call.host for call in emulator.calls] == ["acme.my.salesforce.com"]


def test_a_certificate_for_another_host_is_refused(a_transport, served_with_tls, emulator):
    with RawServer(tunnels_to(served_with_tls.port)) as proxy:
        transport = a_transport(proxy=proxy.url, ca_bundle=served_with_tls.ca_bundle)

        with pytest.raises(errors.TLSFailed):
            transport.send("GET", "https://na139.salesforce.com/services/data")

    assert emulator.calls == []


@pytest.mark.parametrize(
    "turn",
    [
        says_and_leaves(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        says_and_leaves(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        says_and_leaves(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        leaves,
        resets,
    ],
    ids=["forbidden", "authentication", "bad gateway", "leaves", "resets"],
)
def test_a_proxy_that_refuses_the_tunnel_means_that_nothing_was_sent(a_transport, turn):
    with RawServer(turn) as proxy:
        transport = a_transport(proxy=proxy.url)

        with pytest.raises(errors.Unreachable):
            transport.send("POST", URL, form={"refresh_token": "REFRESHSECRET"})

    assert b"REFRESHSECRET" not in b"".join(proxy.requests)


@pytest.mark.parametrize("turn", [leaves, hears_and_resets])
def test_a_connection_that_breaks_in_the_tls_handshake_means_that_nothing_was_sent(a_transport, turn):
    with RawServer(turn, greets=False) as server:
        transport = a_transport(gateway=f"https://localhost:{server.port}")

        with pytest.raises(errors.Unreachable):
            transport.send("POST", URL, form={"refresh_token": "REFRESHSECRET"})


def test_a_closed_port_is_unreachable(a_transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(errors.Unreachable) as caught:
        a_transport(gateway=f"http://127.0.0.1:{port}").send("GET", URL)

    assert type(caught.value) is errors.Unreachable


def test_a_host_name_that_does_not_resolve_is_unreachable(a_transport, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(errors.Unreachable) as caught:
        a_transport().send("GET", URL)

    assert type(caught.value) is errors.HostNotFound


def test_the_next_address_of_a_host_is_tried_when_one_refuses(a_transport, monkeypatch):
    with RawServer(says(EMPTY_OBJECT)) as server:
        resolve = socket.getaddrinfo
        addresses = {"acme.test": ("127.0.0.2", "127.0.0.1")}
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *rest: [found for name in addresses.get(host, (host,)) for found in resolve(name, *rest)],
        )

        response = a_transport(gateway=f"http://acme.test:{server.port}").send("GET", URL)

    assert response.status == 200
    assert len(server.requests) == 1


def test_no_log_at_any_level_shows_a_token(a_transport, served, emulator, caplog):
    caplog.set_level(logging.DEBUG, logger="urllib3")
    hosts = HostPolicy()
    app = emulator.add_app("AcmeCI", "CLIENTSECRET", rotates=True)
    org = emulator.add_org("acme.my.salesforce.com", username="ci@acme.example")
    auth_url = AuthUrl.parse(org.auth_url(app), hosts)
    client = SalesforceClient(a_transport(gateway=served.url), hosts)

    response = client.refresh(auth_url)
    assert response.session is not None
    assert response.refresh_token is not None
    client.organization(response.session)
    client.revoke(auth_url.host, response.refresh_token)

    assert "urllib3" in {record.name.partition(".")[0] for record in caplog.records}
    for secret in ("CLIENTSECRET", auth_url.refresh_token, response.refresh_token, response.session.access_token):
        assert secret not in caplog.text
