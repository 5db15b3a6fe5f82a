"""A real desk without a proxy: slow clients do not delay others; large bodies are neither stored nor break a pool."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from pathlib import Path

import pytest
import requests

from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ORGS, REGISTER
from tests.support.live_server import Desk, live_desk

HOST = b"Host: localhost\r\n"
HALF_SENT = (
    b"GET /sfp/api/auth/salesforce/orgs HTTP/1.1\r\n" + HOST,
    b"POST /sfp/api/auth/admin/login HTTP/1.1\r\n" + HOST + b"Content-Length: 60000\r\n\r\n{",
    b"POST /sfp/api/auth/salesforce/register HTTP/1.1\r\n"
    + HOST
    + b"Authorization: Bearer x\r\nContent-Length: 1000000\r\n\r\n{",
    b"POST /auth/credentials HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
)
ADDRESSES = [
    "/livez",
    "/readyz",
    "/",
    "/login",
    "/console/",
    "/console/login/",
    "/password",
    "/auth/credentials",
    "/json/reply/Authenticate",
    "/access-token",
    "/metadata",
    "/sfp/api/auth/admin/login",
    "/sfp/api/auth/continue",
    "/sfp/api/schema",
    ORGS,
    "/static/frontdesk.css",
    "/nothing/here",
]
MULTIPART = b"Content-Type: multipart/form-data; boundary=b\r\n"
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return the folder for temporary files of the desk."""
    made: Path = tmp_path_factory.mktemp("temporary")
    return made


@pytest.fixture(scope="module")
def desk(tmp_path_factory, django_db_setup, django_db_blocker, folder) -> Iterator[Desk]:
    with (
        django_db_blocker.unblock(),
        Emulator().serve() as salesforce,
        live_desk(tmp_path_factory.mktemp("desk"), salesforce.url, TMPDIR=str(folder)) as desk,
    ):
        yield desk


def _connect(desk: Desk) -> socket.socket:
    return socket.create_connection(("127.0.0.1", desk.ports[0]), timeout=20)


def _answer(line: socket.socket) -> HTTPResponse:
    response = HTTPResponse(line)
    response.begin()
    response.read()
    return response


def test_four_hundred_half_sent_requests_do_not_keep_livez_waiting(desk):
    with ExitStack() as stack:
        for number in range(400):
            stack.enter_context(_connect(desk)).sendall(HALF_SENT[number % len(HALF_SENT)])

        alive = desk.send("GET", "/livez", bearer="")
        listed = desk.send("GET", ORGS)

    assert (alive.status, listed.status) == (200, 200)
    assert alive.seconds < 2
    assert listed.seconds < 2


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_body_of_200_megabytes_is_refused_before_it_is_sent(desk, folder, path):
    with _connect(desk) as line:
        began = time.monotonic()
        line.sendall(b"POST %s HTTP/1.1\r\n" % path.encode() + HOST + MULTIPART + b"Content-Length: 209715200\r\n\r\n")

        response = _answer(line)

    assert (response.status, response.headers["Connection"]) == (413, "close")
    assert time.monotonic() - began < 2
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_chunked_body_over_the_limit_is_cut_off_and_not_stored(desk, folder, path):
    with _connect(desk) as line:
        line.sendall(b"POST %s HTTP/1.1\r\n" % path.encode() + HOST + MULTIPART + b"Transfer-Encoding: chunked\r\n\r\n")
        line.sendall(b"%x\r\n%s\r\n" % (len(FILE), FILE))
        with suppress(OSError):
            for _ in range(20):
                line.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")

        response = _answer(line)

    assert (response.status, response.headers["Connection"]) == (413, "close")
    assert list(folder.iterdir()) == []


REFUSED = {
    "too large for any caller": (REGISTER, 3_000_000, True, 413),
    "too large without a bearer": (REGISTER, 3_000_000, False, 413),
    "too large for a log-in": ("/sfp/api/auth/admin/login", 100_000, False, 413),
    "too large for a page": ("/login", 3_000_000, False, 413),
    "no route": ("/sfp/api/nothing", 900_000, True, 404),
    "no such method": (ORGS, 900_000, True, 405),
    "not JSON": (REGISTER, 900_000, True, 400),
}


@pytest.mark.parametrize(("path", "size", "is_known", "status"), REFUSED.values(), ids=REFUSED)
def test_the_next_request_of_a_pooled_client_is_served_after_a_refusal(desk, path, size, is_known, status):
    base = f"http://127.0.0.1:{desk.ports[0]}"
    with requests.Session() as session:
        session.headers["Content-Type"] = "application/json"
        for _ in range(10):
            bearer = {"Authorization": f"Bearer {desk.owner}"} if is_known else {}
            refused = session.post(base + path, b"x" * size, headers=bearer, timeout=20)

            assert refused.status_code == status
            assert session.get(f"{base}/livez", timeout=20).status_code == 200


def test_an_invented_bearer_token_is_refused_without_waiting_for_the_body(desk):
    with _connect(desk) as line:
        began = time.monotonic()
        line.sendall(HALF_SENT[2])

        response = _answer(line)

    assert (response.status, response.headers["Connection"]) == (401, "close")
    assert time.monotonic() - began < 2


def test_a_body_in_chunks_is_read_like_any_other(desk):
    login = b'{"email": "owner@acme.example", "password": "wrong-horse-battery-staple"}'
    with _connect(desk) as line:
        line.sendall(b"POST /sfp/api/auth/admin/login HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n")
        line.sendall(b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(login), login))

        assert _answer(line).status == 401, "it was read, and the password is wrong"


def test_refused_bodies_are_not_logged(desk):
    assert "Traceback" not in desk.logs()
    assert "Socket error" not in desk.logs()
