"""The worker in a real web server: slow clients hold no thread, and connections close as their responses announce."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest

from tests.support.live_server import ROOT, _free_port

HOST = b"Host: localhost\r\n"
CONFIG = """
import sys
sys.path.insert(0, {root!r})
from config import worker as slow_clients
slow_clients.RECEIVE_SECONDS = slow_clients.BODY_SECONDS = 1.5
worker_class = slow_clients.Worker
threads = 4
worker_connections = 300
keepalive = 30
graceful_timeout = 5
bind = "127.0.0.1:{port}"
control_socket_disable = True
"""


class Server:
    """A web server with four threads, whose clients have a second and a half to send a request."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, data: bytes) -> tuple[int, bytes, str]:
        """Send a request over a connection of its own; return status, body and the Connection header."""
        with self.connect() as line:
            line.sendall(data)
            return read(line)


def read(line: socket.socket) -> tuple[int, bytes, str]:
    response = HTTPResponse(line)
    response.begin()
    return response.status, response.read(), str(response.headers["Connection"])


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("server")
    server = Server(_free_port())
    (folder / "config.py").write_text(CONFIG.format(root=str(ROOT), port=server.port))
    command = [sys.executable, "-m", "gunicorn", "-c", str(folder / "config.py"), "tests.config.echo"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as process:
        until = time.monotonic() + 20
        while True:
            try:
                server.send(b"GET / HTTP/1.0\r\n\r\n")
                break
            except OSError:
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.05)
        yield server
        process.terminate()
    assert "Traceback" not in (folder / "log").read_text()


def _seconds(run: Callable[[], object]) -> float:
    began = time.monotonic()
    run()
    return time.monotonic() - began


def _is_served(server: Server) -> None:
    assert server.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")[:2] == (200, b"GET 0")


# --- Slow clients --------------------------------------------------------------------------------------

HALF_SENT = {
    "nothing": b"",
    "an empty line": b"\r\n",
    "half a line": b"GET /li",
    "half a head": b"GET / HTTP/1.1\r\n" + HOST,
    "half a body": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\nhalf",
    "half a large body that is not read": b"POST /unread HTTP/1.1\r\n" + HOST + b"Content-Length: 900000\r\n\r\nhalf",
    "half a chunk": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "chunks without an end": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    "trailers without an end": b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\na: b\r\n",
    "an expectation": b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n",
}


@pytest.mark.parametrize("half", HALF_SENT.values(), ids=HALF_SENT)
def test_two_hundred_half_sent_requests_do_not_delay_others(server, half):
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(server.connect()).sendall(half)

        assert _seconds(lambda: _is_served(server)) < 1.0


def test_two_hundred_idle_clients_do_not_delay_others(server):
    with ExitStack() as stack:
        lines = [stack.enter_context(server.connect()) for _ in range(200)]
        for line in lines:
            line.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")

        assert [read(line)[0] for line in lines] == [200] * 200
        assert _seconds(lambda: _is_served(server)) < 1.0


def test_more_half_sent_requests_than_connections_do_not_keep_others_out(server):
    with ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(server.connect()).sendall(HALF_SENT["half a head"])

        assert _seconds(lambda: _is_served(server)) < 3.0


@pytest.mark.parametrize("name", ["half a head", "half a body", "half a chunk", "an expectation"])
def test_a_half_sent_request_is_refused_when_its_time_is_over(server, name):
    with server.connect() as line:
        line.sendall(HALF_SENT[name])
        if name == "an expectation":
            assert line.recv(100).startswith(b"HTTP/1.1 100")

        began = time.monotonic()
        assert b" 408 " in line.recv(1000).partition(b"\r\n")[0]

        assert 0.5 < time.monotonic() - began < 5


def test_a_large_body_that_stops_receiving_ends_the_connection(server):
    with server.connect() as line:
        line.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 900000\r\n\r\nhalf")

        assert _seconds(lambda: line.recv(1000)) < 5


def test_a_request_that_comes_byte_by_byte_in_time_is_served(server):
    with server.connect() as line:
        for byte in b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc":
            line.sendall(bytes([byte]))

        assert read(line)[:2] == (200, b"POST 3")


# --- Connections -----------------------------------------------------------------------------------------


def _post(path: bytes, size: int, more: bytes = b"") -> bytes:
    return b"POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n" % (path, HOST, more, size) + b"x" * size


@pytest.mark.parametrize("path", [b"/", b"/unread"])
@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536])
def test_a_connection_is_kept_whether_or_not_a_small_body_is_read(server, path, size):
    with server.connect() as line:
        for _ in range(3):
            line.sendall(_post(path, size))
            status, body, connection = read(line)

            assert (status, connection) == (200, "keep-alive")
            assert body == b"POST %d" % (0 if path == b"/unread" else size)


@pytest.mark.parametrize("path", [b"/", b"/unread"])
@pytest.mark.parametrize("size", [65_537, 3_000_000])
def test_the_response_to_a_large_body_closes_the_connection(server, path, size):
    status, body, connection = server.send(_post(path, size))

    assert (status, connection) == (200, "close")
    assert body == b"POST %d" % (0 if path == b"/unread" else size)


@pytest.mark.parametrize("size", [1, 1000, 70_000])
def test_a_body_in_chunks_is_read(server, size):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [b"x" * size] * 2) + b"0\r\nX-Note: a\r\n\r\n"

    status, body, _ = server.send(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)

    assert (status, body) == (200, b"POST %d" % (2 * size))


def test_pipelined_requests_are_served_in_order(server):
    with server.connect() as line:
        line.sendall(_post(b"/", 1) + _post(b"/unread", 2) + b"\r\n" + _post(b"/", 3))

        responses = line.makefile("rb").read1(1) + b""
        until = time.monotonic() + 10
        while responses.count(b"POST ") < 3 and time.monotonic() < until:
            responses += line.recv(10_000)

    assert [int(part[:1]) for part in responses.split(b"POST ")[1:]] == [1, 0, 3]


@pytest.mark.parametrize("size", [10, 70_000])
def test_100_continue_is_sent_once(server, size):
    with server.connect() as line:
        head, _, body = _post(b"/", size, b"Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        line.sendall(head + b"\r\n\r\n")
        first = line.recv(1000)
        line.sendall(body)

        assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert read(line)[:2] == (200, b"POST %d%s" % (size, b"" if size == 10 else b" 100-continue"))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 70_000, 431),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, 400),
        (
            b"POST / HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + b"1;"
            + b"a" * 900
            + b"\r\nx\r\n" * 300,
            400,
        ),
        (
            b"POST / HTTP/1.1\r\n"
            + HOST
            + b"Transfer-Encoding: chunked\r\n\r\n"
            + (b"1;" + b"a" * 900 + b"\r\nx\r\n") * 300,
            413,
        ),
    ],
    ids=["a head without an end", "no size", "no end of a chunk", "a long size", "a broken chunk", "mostly sizes"],
)
def test_an_invalid_request_is_refused_at_once(server, request_, status):
    assert server.send(request_)[0] == status


def test_a_client_that_disconnects_midway_is_dropped(server):
    for half in HALF_SENT.values():
        with server.connect() as line:
            line.sendall(half)

    _is_served(server)


def test_a_pooled_client_is_served_after_a_large_body(server):
    line = HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        for _ in range(10):
            line.request("POST", "/unread", b"x" * 3_000_000)
            assert line.getresponse().read() == b"POST 0"
            line.request("GET", "/")
            assert line.getresponse().read() == b"GET 0"
    finally:
        line.close()
