"""gunicorn's threaded worker, changed so that slow clients block neither its threads nor its main loop.

In gunicorn's own worker, a thread waits for the rest of a request without a time limit, and the main loop
waits for each client to close its side. A few hundred clients that send half a request, or keep their side
open, would block every request, including `/livez`. Here the main loop receives requests and closes
connections for all clients concurrently. A buffering proxy does the same; this serves a desk without one.
"""

import contextlib
import errno
import functools
import selectors
import socket
import struct
import time
from collections.abc import Iterator
from http import HTTPStatus

from gunicorn import util  # type: ignore[import-untyped]  # untyped
from gunicorn.http.message import Request  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from config.incoming_request import IncomingRequest

# For the head and up to 64 KiB of the body, from the start of the wait for a request.
RECEIVE_SECONDS = 20.0
# For the rest of a larger body, which is read for authenticated callers only.
BODY_SECONDS = 30.0
# Without any progress, while a client does not read its response.
SEND_SECONDS = 60
# How long and how much a client may still send before its connection is closed completely.
_LINGER_SECONDS, _LINGER_BYTES, _MAX_LINGERING = 5.0, 8 * 1024 * 1024, 1000
# Then its bytes are left unread for a moment: a client whose writes block, such as Node's fetch, reads the response.
_UNREAD_SECONDS = 1.0
# A request that has been incomplete for longer may be dropped to make room for others.
_EVICTABLE_SECONDS = 1.0
# A stopping worker waits this long for a request on a connection that has not sent a byte.
_STOPPING_SECONDS = 2.0
_MAX_HELD_BYTES = 32 * 1024 * 1024
_RECEIVED_AT_ONCE = 64 * 1024


class Connection(TConn):  # type: ignore[misc]  # untyped
    """A connection that the worker closes without waiting for the client."""

    is_complete = True
    since = 0.0

    def __init__(self, worker: "Worker", sock: socket.socket, client: object, server: object) -> None:
        super().__init__(worker.cfg, sock, client, server)
        self._worker = worker

    def close(self, graceful: bool = False) -> None:
        """Close at once, or when the client has read its response."""
        if graceful:
            self._worker.linger(self.sock)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]  # untyped
    """Receives requests in its main loop. Only `handle_request` runs in threads."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._receiving: dict[Connection, IncomingRequest] = {}  # oldest first
        self._lingering: dict[socket.socket, list[float]] = {}  # deadline and remaining bytes
        self._held_bytes = 0

    # --- Receiving -----------------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, as gunicorn does."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self.enqueue_req(Connection(self, sock, client, listener.getsockname()))

    def enqueue_req(self, conn: Connection) -> None:
        """Receive the next request of a connection, then hand it to a thread."""
        conn.init()
        conn.sock.setblocking(False)
        conn.since = time.monotonic()
        request = IncomingRequest(conn.parser.unreader.take_buffered())
        self._held_bytes += len(request)
        if not self._receive(conn, request):
            self._receiving[conn] = request
            self.poller.register(conn.sock, selectors.EVENT_READ, functools.partial(self._on_readable, conn))

    def _on_readable(self, conn: Connection, _: object) -> None:
        self._receive(conn, self._receiving[conn])

    def _receive(self, conn: Connection, request: IncomingRequest) -> bool:
        """Serve or drop a request; return False if it is incomplete."""
        if not request.is_ready and not self._read(conn, request):
            return False
        if request.refusal or not request.is_ready:
            self._drop(conn, request, request.refusal)
        else:
            self._stop_receiving(conn, request)
            conn.is_complete, conn.data_ready = request.is_complete, True
            conn.parser.unreader.unread(request.take())
            super().enqueue_req(conn)
        return True

    def _read(self, conn: Connection, request: IncomingRequest) -> bool:
        """Read available bytes. Return True if the request is ready, refused or cut off."""
        held = len(request)
        try:
            data = conn.sock.recv(_RECEIVED_AT_ONCE)
            request.feed(data)
            self._held_bytes += len(request) - held
            if request.wants_continue():
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        except BlockingIOError:
            return False
        except OSError:
            return True
        return not data or request.is_ready or request.refusal is not None

    def _stop_receiving(self, conn: Connection, request: IncomingRequest) -> None:
        self._held_bytes -= len(request)
        if self._receiving.pop(conn, None) is not None:
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection, request: IncomingRequest, refusal: int | None) -> None:
        """Close a connection without serving its request, after an error response if `refusal` is a status."""
        self._stop_receiving(conn, request)
        self.nr_conns -= 1
        if refusal:
            with contextlib.suppress(OSError):
                util.write_error(conn.sock, refusal, "", "")
        conn.close(graceful=bool(refusal))

    def murder_pending(self) -> None:
        """Drop requests that take too long or too much memory. gunicorn's loop calls this every second."""
        super().murder_pending()
        now = time.monotonic()
        for conn, request in list(self._overdue(now)):
            self._drop(conn, request, HTTPStatus.REQUEST_TIMEOUT if len(request) else None)
        for sock in [sock for sock, (deadline, _) in self._lingering.items() if deadline <= now]:
            self._close_lingering(sock)

    def _overdue(self, now: float) -> Iterator[tuple[Connection, IncomingRequest]]:
        """Yield the requests to drop, each with its connection."""
        surplus = self.nr_conns - self.worker_connections * 9 // 10 if self.nr_conns >= self.worker_connections else 0
        held = self._held_bytes
        for conn, request in self._receiving.items():
            waited = now - conn.since
            is_evictable = waited >= _EVICTABLE_SECONDS and (surplus > 0 or held > _MAX_HELD_BYTES)
            is_idle_at_stop = waited >= _STOPPING_SECONDS and not len(request) and not self.alive
            if waited < RECEIVE_SECONDS and not is_evictable and not is_idle_at_stop:
                if self.alive:
                    return  # The following requests are newer.
                continue
            surplus, held = surplus - 1, held - len(request)
            yield conn, request

    # --- Serving -------------------------------------------------------------------------------------

    def handle_request(self, req: Request, conn: Connection) -> object:
        """Serve a request, in a thread. If its body has not been received in full, close the connection after it.

        When the application starts to respond, it is unknown whether it will read the rest, and unread bytes would
        be parsed as the next request. The response therefore announces that the connection closes.
        """
        if not conn.is_complete:
            req.force_close()
            conn.parser.unreader.sock = _DeadlineSocket(conn.sock, BODY_SECONDS)
        try:
            result: object = super().handle_request(req, conn)
            return result
        except (TimeoutError, BlockingIOError):  # The client sends or reads too slowly, which is not a server error.
            return False

    def _keepalive_after(self, conn: Connection, keepalive: object) -> bool:
        """Return True if the connection can serve another request, after discarding the rest of the body."""
        return bool(keepalive) and bool(conn.parser.finish_body())

    # --- Closing -------------------------------------------------------------------------------------

    def linger(self, sock: socket.socket) -> None:
        """Close our side of a connection, and the rest when the client has closed its side or timed out.

        Bytes that the client still sends are read and discarded, up to a limit: closing with unread bytes resets
        the connection, and the client may lose the response.
        """
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
            self.poller.register(sock, selectors.EVENT_READ, self._on_lingering)
        except (OSError, ValueError):
            util.close(sock)
            return
        self._lingering[sock] = [time.monotonic() + _LINGER_SECONDS, _LINGER_BYTES]
        if len(self._lingering) > _MAX_LINGERING:
            self._close_lingering(next(iter(self._lingering)))

    def _on_lingering(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(_RECEIVED_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close_lingering(sock)
            return
        deadline, left = self._lingering[sock]
        self._lingering[sock] = [deadline, left - len(data)]
        if left <= len(data):
            self.poller.unregister(sock)
            self._lingering[sock][0] = min(deadline, time.monotonic() + _UNREAD_SECONDS)

    def _close_lingering(self, sock: socket.socket) -> None:
        _, left = self._lingering.pop(sock)
        if left > 0:
            self.poller.unregister(sock)
        util.close(sock)


class _DeadlineSocket:
    """A socket with one deadline for all its receives."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._deadline = time.monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """Return the next bytes. Raises TimeoutError at the deadline."""
        self._sock.settimeout(max(self._deadline - time.monotonic(), 0.001))
        try:
            return self._sock.recv(size)
        finally:
            self._sock.settimeout(None)
