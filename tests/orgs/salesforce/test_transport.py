"""The send function against a scripted server: what is sent, and what never is."""

import traceback

import pytest

from orgs.salesforce import deadline, errors
from tests.orgs.salesforce.raw_server import EMPTY_OBJECT, JSON_HEAD, RawServer, in_turn, leaves, resets, says
from tests.orgs.salesforce.raw_server import says_and_leaves as says_and_leaves

URL = "https://acme.my.salesforce.com/services/oauth2/token"
FORM = {"grant_type": "refresh_token", "refresh_token": "REFRESHSECRET"}
BEARER = "BEARERSECRET"


def test_a_complete_response_is_returned_unchanged(a_transport):
    with RawServer(says(EMPTY_OBJECT)) as server:
        response = a_transport(gateway=server.url).send("POST", URL, form=FORM)

    assert (response.status, response.content_type, response.body) == (200, "application/json", b"{}")
    assert response.json() == {}


def test_a_request_carries_its_host_form_and_bearer(a_transport):
    with RawServer(says(EMPTY_OBJECT)) as server:
        a_transport(gateway=server.url).send("POST", URL, form=FORM, bearer=BEARER)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /services/oauth2/token HTTP/1.1\r\n")
    assert b"\r\nHost: acme.my.salesforce.com" in head
    assert b"\r\nAuthorization: Bearer BEARERSECRET" in head
    assert b"\r\nAccept-Encoding: identity" in head
    assert body == b"grant_type=refresh_token&refresh_token=REFRESHSECRET"


def test_a_query_is_encoded_into_the_request_line(a_transport):
    with RawServer(says(EMPTY_OBJECT)) as server:
        a_transport(gateway=server.url).send("GET", URL, query={"q": "SELECT Id FROM User&x=1"})

    assert server.requests[0].startswith(b"GET /services/oauth2/token?q=SELECT+Id+FROM+User%26x%3D1 HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 403, 404, 420, 429, 500, 502, 503, 504])
def test_a_complete_response_is_returned_whatever_its_status(a_transport, status):
    with RawServer(says(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)) as server:
        response = a_transport(gateway=server.url).send("GET", URL)

    assert response.status == status


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0), ("60", 60), ("999999", 86_400), ("", None), ("-1", None), ("1.5", None), ("9" * 30, None)]
    + [("Wed, 21 Oct 2026 07:28:00 GMT", None), ("\u00b2", None)],
)
def test_retry_after_is_read_in_whole_seconds_up_to_a_day(a_transport, header, seconds):
    with RawServer(says(JSON_HEAD + f"Retry-After: {header}\r\nContent-Length: 2\r\n\r\n{{}}".encode())) as server:
        response = a_transport(gateway=server.url).send("GET", URL)

    assert response.retry_after == seconds


def test_the_text_of_a_response_does_not_show_its_body(a_transport):
    with RawServer(says(JSON_HEAD + b'Content-Length: 8\r\n\r\n"SECRET"')) as server:
        response = a_transport(gateway=server.url).send("GET", URL)

    assert b"SECRET" in response.body
    assert "SECRET" not in f"{response!r} {response}"


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.my.salesforce.com/services/data",
        "https://evil.example/services/data",
        "https://localhost/services/data",
        "https://169.254.169.254/latest/meta-data",
        "https://acme.my.salesforce.com:443/services/data",
        "https://acme.my.salesforce.com:8443/services/data",
        "https://acme.my.salesforce.com@evil.example/services/data",
        "https://evil.example@acme.my.salesforce.com/services/data",
        "https://ACME.my.salesforce.com/services/data",
        "https://login.salesforce.com.evil.example/services/data",
        "file:///etc/passwd",
        "//acme.my.salesforce.com/services/data",
        "",
    ],
)
def test_a_foreign_host_is_refused_without_a_connection(a_transport, url):
    with RawServer(says(EMPTY_OBJECT)) as server:
        transport = a_transport(gateway=server.url)

        with pytest.raises(errors.Untrusted):
            transport.send("POST", url, form=FORM)

    assert server.connections == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        b"http://169.254.169.254/",
        b"https://test.salesforce.com/",
        b"/elsewhere",
        b"https://[no-address",
        b"\xff\xfe",
        b"",
    ],
)
def test_a_redirect_is_reported_and_not_followed(a_transport, status, location):
    response = b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location)
    with RawServer(says(response)) as server:
        transport = a_transport(gateway=server.url)

        with pytest.raises(errors.Redirected):
            transport.send("POST", URL, form=FORM)

    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 302])
@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"gzip, gzip"])
def test_a_compressed_response_is_not_read(a_transport, status, encoding):
    response = b"HTTP/1.1 %d X\r\nLocation: /\r\nContent-Encoding: %s\r\nContent-Length: 4\r\n\r\nABCD" % (
        status,
        encoding,
    )
    with RawServer(says(response)) as server:
        transport = a_transport(gateway=server.url)

        with pytest.raises(errors.Unreadable):
            transport.send("GET", URL)


@pytest.mark.parametrize("status", [200, 302, 500])
def test_no_more_than_the_limit_of_a_body_is_read(a_transport, status):
    sent = []

    def floods(connection):
        connection.sendall(b"HTTP/1.1 %d X\r\nLocation: /\r\nConnection: close\r\n\r\n" % status)
        for _ in range(512):
            sent.append(connection.send(b"x" * 65_536))
        return False

    with RawServer(floods) as server:
        transport = a_transport(gateway=server.url)

        with pytest.raises(errors.Unreadable):
            transport.send("GET", URL)

    assert sum(sent) < 32 * 1024 * 1024


@pytest.mark.parametrize(("size", "fits"), [(1024 * 1024, True), (1024 * 1024 + 1, False)])
def test_the_limit_of_a_body_is_one_mebibyte(a_transport, size, fits):
    with RawServer(says(JSON_HEAD + b"Content-Length: %d\r\n\r\n" % size + b"x" * size)) as server:
        transport = a_transport(gateway=server.url)

        assert _fits(transport) is fits


def _fits(transport):
    try:
        return bool(transport.send("GET", URL).body)
    except errors.Unreadable:
        return False


LOST = {
    "closed without a response": leaves,
    "reset without a response": resets,
    "no HTTP": says_and_leaves(b"garbage\r\n\r\n"),
    "half a head": says_and_leaves(b"HTTP/1.1 200 OK\r\nContent-"),
    "no body": says_and_leaves(JSON_HEAD + b"Content-Length: 10\r\n\r\n"),
    "half a body": says_and_leaves(JSON_HEAD + b'Content-Length: 10\r\n\r\n{"a":'),
    "half a chunk": says_and_leaves(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}"),
    "no last chunk": says_and_leaves(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
    "a chunk without a size": says_and_leaves(JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
    "a header without end": says_and_leaves(JSON_HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n"),
    "headers without end": says_and_leaves(JSON_HEAD + b"X: a\r\n" * 200 + b"\r\n"),
}


@pytest.mark.parametrize("turn", LOST.values(), ids=LOST.keys())
def test_a_response_that_is_not_complete_is_lost_and_nothing_is_sent_twice(a_transport, turn):
    with RawServer(turn) as server:
        transport = a_transport(gateway=server.url)

        with pytest.raises(errors.LostResponse) as caught:
            transport.send("POST", URL, form=FORM)

    assert type(caught.value) is errors.LostResponse
    assert len(server.requests) == 1


def test_a_kept_connection_that_breaks_after_sending_is_not_used_for_a_second_try(a_transport):
    with RawServer(in_turn(says(EMPTY_OBJECT), leaves)) as server:
        transport = a_transport(gateway=server.url)
        transport.send("POST", URL, form=FORM)

        with pytest.raises(errors.LostResponse):
            transport.send("POST", URL, form=FORM)

    assert (server.connections, len(server.requests)) == (1, 2)


def test_no_error_shows_what_was_sent(a_transport):
    with RawServer(resets) as server:
        transport = a_transport(gateway=server.url)

        with pytest.raises(errors.LostResponse) as caught:
            transport.send("POST", URL, form=FORM, bearer=BEARER)

    assert "SECRET" not in "".join(traceback.format_exception(caught.value))


def test_connections_are_kept_and_used_again(a_transport):
    with RawServer(says(EMPTY_OBJECT)) as server:
        transport = a_transport(gateway=server.url)
        for _ in range(5):
            transport.send("POST", URL, form=FORM)

    assert (server.connections, len(server.requests)) == (1, 5)


def test_a_kept_connection_that_the_server_closed_is_replaced(a_transport):
    with RawServer(says_and_leaves(EMPTY_OBJECT)) as server:
        transport = a_transport(gateway=server.url)
        transport.send("POST", URL, form=FORM)
        assert server.left.acquire(timeout=10)

        response = transport.send("POST", URL, form=FORM)

    assert response.status == 200
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_connection_that_idled_too_long_is_not_used_again(a_transport, monkeypatch):
    monkeypatch.setattr(deadline, "MAX_IDLE_SECONDS", -1.0)
    with RawServer(says(EMPTY_OBJECT)) as server:
        transport = a_transport(gateway=server.url)
        for _ in range(3):
            transport.send("POST", URL, form=FORM)

    assert (server.connections, len(server.requests)) == (3, 3)


def test_cookies_are_not_kept(a_transport):
    with RawServer(says(JSON_HEAD + b"Set-Cookie: sid=1; Path=/\r\nContent-Length: 2\r\n\r\n{}")) as server:
        transport = a_transport(gateway=server.url)
        transport.send("GET", URL)
        transport.send("GET", URL)

    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.parametrize("size", [b"-5", b"ffffffffffffffffff", b"x"])
def test_a_chunk_of_an_impossible_length_is_a_lost_response(a_transport, size):
    chunked = JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabc"
    with RawServer(says_and_leaves(chunked)) as server, pytest.raises(errors.LostResponse):
        a_transport(gateway=server.url).send("POST", URL, form=FORM)
