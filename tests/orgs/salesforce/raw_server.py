"""A scripted TCP server: sends the bytes of a test, and counts connections and requests."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EMPTY_OBJECT = JSON_HEAD + b"Content-Length: 2\r\n\r\n{}"

# What a connection does after a request has been read. True keeps it open for the next one.
Turn = Callable[[socket.socket], bool]


def says(response: bytes) -> Turn:
    """Respond and keep the connection open."""

    def turn(connection: socket.socket) -> bool:
        connection.sendall(response)
        return True

    return turn


def says_and_leaves(response: bytes) -> Turn:
    """Respond and close the connection."""

    def turn(connection: socket.socket) -> bool:
        connection.sendall(response)
        return False

    return turn


def is_silent(connection: socket.socket) -> bool:
    """Wait until the client closes the connection."""
    with suppress(OSError):
        while connection.recv(65_536):
            pass
    return False


class RawServer:
    """Listens on loopback. `connections` and `requests` record what arrived, `left` counts closed connections."""

    def __init__(self, turn: Turn, *, greets: bool = True) -> None:
        self._turn = turn
        self._greets = greets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.connections = 0
        self.requests: list[bytes] = []
        self.left = threading.Semaphore(0)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "RawServer":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone does not wake a thread that waits in accept or recv.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            while not self._greets or self._read(connection):
                if not self._turn(connection):
                    break
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        self.left.release()

    def _read(self, connection: socket.socket) -> bool:
        """Read one request with its body. Returns True if there was one."""
        received = b""
        while b"\r\n\r\n" not in received:
            if not (part := connection.recv(65_536)):
                return False
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        wanted = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(body) < wanted:
            body += connection.recv(65_536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return True


def leaves(connection: socket.socket) -> bool:
    """Close the connection without a response."""
    return False


def resets(connection: socket.socket) -> bool:
    """Reset the connection, as a crashed peer or a firewall does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def hears_and_resets(connection: socket.socket) -> bool:
    """Wait for the first bytes and reset the connection."""
    connection.recv(1)
    return resets(connection)


def in_turn(*turns: Turn) -> Turn:
    """Act differently after each request."""
    ahead = iter(turns)
    return lambda connection: next(ahead)(connection)


def tunnels_to(port: int) -> Turn:
    """Act as a proxy that tunnels CONNECT for any host to a port of this machine."""

    def turn(connection: socket.socket) -> bool:
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(upstream, connection))
            back.start()
            _pump(connection, upstream)
            back.join()
        return False

    return turn


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
