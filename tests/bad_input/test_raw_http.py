"""Invalid HTTP sent to a real desk: the web server's own errors have the API's format and repeat no input."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from orgs.salesforce.emulator import Emulator
from tests.support.live_server import Desk, live_desk

pytestmark = pytest.mark.django_db
CANARY = b"5Aep861canary"
HOST = b"Host: localhost\r\n"
BAD = {
    "a space in the address": (b"GET /sfp/api/x?a=" + CANARY + b" b HTTP/1.1\r\n" + HOST, 400),
    "no version": (b"GET /" + CANARY + b"\r\n" + HOST, 400),
    "another version": (b"GET /" + CANARY + b" HTTP/9.9\r\n" + HOST, 400),
    "a method that is none": (b"G{" + CANARY + b"} / HTTP/1.1\r\n" + HOST, 400),
    "not HTTP at all": (b"\x16\x03\x01\x02" + CANARY + b"\r\n", 400),
    "a header without a colon": (b"GET / HTTP/1.1\r\n" + HOST + b"Authorization " + CANARY + b"\r\n", 400),
    "a header with a bare line feed": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + CANARY + b"\x00\r\n", 400),
    "a folded header": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A: b\r\n " + CANARY + b"\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n", 400),
    "a length that is none": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + CANARY + b"\r\n", 400),
    "another transfer coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: " + CANARY + b"\r\n", 501),
    "an address of 5,000 characters": (b"GET /" + CANARY + b"a" * 5000 + b" HTTP/1.1\r\n" + HOST, 414),
    "a header of 9,000 characters": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + CANARY + b"a" * 9000 + b"\r\n", 431),
    "a hundred headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A: " + CANARY + b"\r\n" + b"X-B: c\r\n" * 100, 431),
    "another expectation": (b"POST / HTTP/1.1\r\n" + HOST + b"Expect: " + CANARY + b"\r\n", 417),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Desk]:
    with (
        django_db_blocker.unblock(),
        Emulator().serve() as salesforce,
        live_desk(tmp_path_factory.mktemp("desk"), salesforce.url) as desk,
    ):
        yield desk


def _send(desk: Desk, head: bytes) -> tuple[HTTPResponse, bytes]:
    with socket.create_connection(("127.0.0.1", desk.ports[0]), timeout=20) as line:
        line.sendall(head + b"\r\n")
        response = HTTPResponse(line)
        response.begin()
        return response, response.read()


@pytest.mark.parametrize(("head", "status"), BAD.values(), ids=BAD)
def test_invalid_http_gets_an_error_of_the_api(desk, head, status):
    response, content = _send(desk, head)

    body = json.loads(content)
    assert (response.status, body["statusCode"], body["error"]) == (status, status, response.reason)
    assert body["code"]
    assert body["message"]
    assert body["action"]
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Request-Id"] == body["requestId"] != ""
    assert response.headers["Connection"] == "close"
    assert CANARY not in content + str(response.headers).encode()
    assert CANARY.decode() not in desk.logs()


def test_the_desk_still_responds_after_refusals(desk):
    response, _ = _send(desk, b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n")

    assert response.status == 200
