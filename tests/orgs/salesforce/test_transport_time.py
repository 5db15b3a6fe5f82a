"""The deadline of an exchange, from connect to the last byte."""

import socket
import threading
import time

import pytest

from orgs.salesforce import AuthUrl, HostPolicy, SalesforceClient, Watch, errors
from orgs.salesforce.emulator import Fault
from tests.orgs.salesforce.raw_server import EMPTY_OBJECT, JSON_HEAD, RawServer, is_silent, says

URL = "https://acme.my.salesforce.com/services/oauth2/token"
SECONDS = 0.8
BOUND = SECONDS * 1.5


def _drips(start, byte):
    """Send one byte at a time, forever, faster than any time-out between two bytes."""

    def turn(connection):
        connection.sendall(start)
        while True:
            connection.sendall(byte)
            time.sleep(0.05)

    return turn


SLOW = {
    "silent": is_silent,
    "drips a status": _drips(b"", b"H"),
    "drips headers": _drips(JSON_HEAD, b"X: a\r\n"),
    "drips one header": _drips(JSON_HEAD + b"X: ", b"a"),
    "drips a body": _drips(JSON_HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "drips chunks": _drips(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "drips a body to the close": _drips(JSON_HEAD + b"Connection: close\r\n\r\n", b" "),
    "drips a redirect": _drips(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 100000\r\n\r\n", b" "),
    "continues for ever": _drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("turn", SLOW.values(), ids=SLOW.keys())
def test_the_time_for_a_whole_exchange_holds_against_a_slow_server(a_transport, turn):
    with RawServer(turn) as server:
        transport = a_transport(gateway=server.url, timeout_seconds=SECONDS)
        started = time.monotonic()

        with pytest.raises(errors.TimedOut):
            transport.send("POST", URL, form={"a": "b"})

        assert time.monotonic() - started < BOUND
    assert len(server.requests) == 1


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize(
    "fault",
    [Fault.hang(60), Fault.slow_drip(60), Fault.slow_drip(60, headers=True)],
    ids=lambda fault: fault.name,
)
def test_the_time_for_a_refresh_holds_through_both_doors(a_transport, emulator, fault, tls):
    hosts = HostPolicy()
    auth_url = AuthUrl.parse(emulator.add_org("acme.my.salesforce.com", username="ci@acme.example").auth_url(), hosts)
    emulator.inject(fault)
    with emulator.serve(tls=tls) as server:
        transport = a_transport(gateway=server.url, ca_bundle=server.ca_bundle, timeout_seconds=SECONDS)
        started = time.monotonic()

        with pytest.raises(errors.TimedOut):
            SalesforceClient(transport, hosts).refresh(auth_url)

        assert time.monotonic() - started < BOUND
    assert emulator.refreshes() == 1


def test_a_server_that_hangs_in_the_tls_handshake_has_been_sent_nothing(a_transport):
    with RawServer(is_silent, greets=False) as server:
        transport = a_transport(gateway=f"https://localhost:{server.port}", timeout_seconds=SECONDS)
        started = time.monotonic()

        with pytest.raises(errors.ConnectTimedOut):
            transport.send("POST", URL, form={"a": "b"})

        assert time.monotonic() - started < BOUND


def test_a_proxy_that_does_not_respond_was_not_sent_the_request(a_transport):
    with RawServer(is_silent) as proxy:
        transport = a_transport(proxy=proxy.url, timeout_seconds=SECONDS)
        started = time.monotonic()

        with pytest.raises(errors.ConnectTimedOut):
            transport.send("POST", URL, form={"a": "b"})

        assert time.monotonic() - started < BOUND


@pytest.fixture
def full_port():
    """A port with a full connection queue, so that connecting to it hangs."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for each in [*waiting, listener]:
        each.close()


def test_the_addresses_of_a_host_share_the_time_to_connect(a_transport, monkeypatch, full_port):
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest: resolve("127.0.0.1", *rest) * 4 if host == "acme.test" else resolve(host, *rest),
    )
    transport = a_transport(gateway=f"http://acme.test:{full_port}", timeout_seconds=SECONDS)
    started = time.monotonic()

    with pytest.raises(errors.ConnectTimedOut):
        transport.send("POST", URL, form={"a": "b"})

    assert time.monotonic() - started < BOUND


def test_one_slow_exchange_does_not_end_another(a_transport, emulator, served):
    emulator.inject(Fault.hang(60), host="acme.my.salesforce.com")
    emulator.add_org("acme.my.salesforce.com", username="ci@acme.example")
    transport = a_transport(gateway=served.url, timeout_seconds=SECONDS)
    failures = []

    def wait_in_vain():
        try:
            transport.send("POST", URL, form={"a": "b"})
        except errors.SalesforceError as error:
            failures.append(type(error))

    slow = threading.Thread(target=wait_in_vain)
    slow.start()
    statuses = []
    while slow.is_alive():
        statuses.append(transport.send("GET", "https://login.salesforce.com/services/data").status)
    slow.join()

    assert failures == [errors.TimedOut]
    assert set(statuses) == {200}


def test_an_exchange_leaves_no_timer_behind(a_transport):
    with RawServer(says(EMPTY_OBJECT)) as server:
        transport = a_transport(gateway=server.url, timeout_seconds=60)
        for _ in range(5):
            transport.send("GET", URL)
        transport.close()

    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for timer in timers:
        timer.join(timeout=5)
    assert not any(timer.is_alive() for timer in timers)


def _responds_after(seconds: float):
    def turn(connection):
        time.sleep(seconds)
        return says(EMPTY_OBJECT)(connection)

    return turn


def test_a_response_is_read_on_after_the_deadline_where_that_is_wanted(a_transport):
    with RawServer(_responds_after(0.6)) as server:
        transport = a_transport(gateway=server.url)

        response = transport.send("POST", URL, form={"a": "b"}, watch=Watch(0.2, read_on_seconds=10))

    assert response.body == b"{}"


def test_reading_on_ends_as_well(a_transport):
    with RawServer(is_silent) as server:
        transport = a_transport(gateway=server.url)
        started = time.monotonic()

        with pytest.raises(errors.TimedOut):
            transport.send("POST", URL, form={"a": "b"}, watch=Watch(0.1, read_on_seconds=0.6))

        assert 0.5 < time.monotonic() - started < 1.2


def test_reading_on_gives_connecting_no_more_time(a_transport):
    with RawServer(is_silent, greets=False) as server:
        transport = a_transport(gateway=f"https://localhost:{server.port}")
        started = time.monotonic()

        with pytest.raises(errors.ConnectTimedOut):
            transport.send("POST", URL, form={"a": "b"}, watch=Watch(SECONDS, read_on_seconds=60))

        assert time.monotonic() - started < BOUND


def test_a_request_that_was_stopped_before_it_went_out_is_never_sent(a_transport):
    with RawServer(says(EMPTY_OBJECT)) as server:
        transport = a_transport(gateway=server.url)
        watch = Watch(10, read_on_seconds=60)
        assert not watch.stop_sending()

        with pytest.raises(errors.ConnectTimedOut):
            transport.send("POST", URL, form={"a": "b"}, watch=watch)

    assert server.requests == []
