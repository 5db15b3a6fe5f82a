"""gunicorn's threaded worker, with slow clients kept out of its threads and out of the way of its main loop.

In gunicorn's own, a thread waits for the rest of a request without a time limit, and the main loop waits
for each client to close its side. A few hundred clients that send half a request, or keep their side
open, would stop everything, `/livez` included. Here the main loop receives requests and closes
connections for all clients at once. A buffering proxy does the same; this is for a desk without one.
"""

import contextlib
import errno
import functools
import selectors
import socket
import struct
import time
from http import HTTPStatus
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]  # it has no types
from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from config.incoming_request import IncomingRequest

# For the head and up to 64 KiB of the body, from the moment when a request is waited for.
RECEIVE_SECONDS = 20.0
# For the rest of a larger body, which is read for known callers alone.
BODY_SECONDS = 30.0
# Without any progress, while a client does not read its response.
SEND_SECONDS = 60
# What a client may still send, and how long it may take, before its connection is closed for good.
_LINGER_SECONDS, _LINGER_BYTES, _MAX_LINGERING = 5.0, 8 * 1024 * 1024, 1000
# Requests that have been waited for so long may be dropped to make room for others.
_EVICTABLE_SECONDS = 1.0
# A stopping worker waits so long for a request on a connection that has not sent a byte.
_STOPPING_SECONDS = 2.0
_MAX_HELD_BYTES = 32 * 1024 * 1024
_RECEIVED_AT_ONCE = 64 * 1024


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection that the worker closes without waiting for the client."""

    is_complete = True
    since = 0.0

    def __init__(self, worker: "Worker", sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, sock, client, server)
        self._worker = worker

    def close(self, graceful: bool = False) -> None:
        """Close at once, or when the client has read its response."""
        if graceful:
            self._worker.linger(self.sock)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Receives requests in its main loop, and serves them in threads: `handle_request` alone runs there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._receiving: dict[Connection, IncomingRequest] = {}  # oldest first
        self._lingering: dict[socket.socket, list[float]] = {}  # until when, and how many bytes; oldest first
        self._held_bytes = 0

    # --- Receiving -----------------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
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
        """Give a connection a thread when its next request has been received."""
        conn.init()
        conn.sock.setblocking(False)
        conn.since = time.monotonic()
        request = IncomingRequest(conn.parser.unreader.take_buffered())
        self._held_bytes += len(request)
        if not self._receive(conn, request):
            self._receiving[conn] = request
            self.poller.register(conn.sock, selectors.EVENT_READ, functools.partial(self._on_readable, conn))

    def _on_readable(self, conn: Connection, _: Any) -> None:
        self._receive(conn, self._receiving[conn])

    def _receive(self, conn: Connection, request: IncomingRequest) -> bool:
        """Serve or drop a request if it is time to; return False if more of it is waited for."""
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
        """Read what is there. Return True if it is enough to decide: ready, refused or cut off."""
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
        """Close a connection without serving its request, after an error response if there is a status for it."""
        self._stop_receiving(conn, request)
        self.nr_conns -= 1
        if refusal:
            with contextlib.suppress(OSError):
                util.write_error(conn.sock, refusal, "", "")
        conn.close(graceful=bool(refusal))

    def murder_pending(self) -> None:
        """Drop requests that take too long, or take the room of others. gunicorn's loop calls this every second."""
        super().murder_pending()
        now = time.monotonic()
        for conn, request in list(self._overdue(now)):
            self._drop(conn, request, HTTPStatus.REQUEST_TIMEOUT if len(request) else None)
        while self._lingering and (next(iter(self._lingering.values()))[0] <= now):
            self._close_lingering(next(iter(self._lingering)))

    def _overdue(self, now: float) -> Any:
        """Yield the requests to drop, each with its connection."""
        surplus = self.nr_conns - self.worker_connections * 9 // 10 if self.nr_conns >= self.worker_connections else 0
        held = self._held_bytes
        for conn, request in self._receiving.items():
            waited = now - conn.since
            is_in_the_way = waited >= _EVICTABLE_SECONDS and (surplus > 0 or held > _MAX_HELD_BYTES)
            is_idle_at_the_end = waited >= _STOPPING_SECONDS and not len(request) and not self.alive
            if waited < RECEIVE_SECONDS and not is_in_the_way and not is_idle_at_the_end:
                if self.alive:
                    return  # Those behind it are younger.
                continue
            surplus, held = surplus - 1, held - len(request)
            yield conn, request

    # --- Serving -------------------------------------------------------------------------------------

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Serve a request, in a thread. If its body has not been received in full, close the connection after it.

        Whether the application will read the rest is not known when it starts to respond, and what it does
        not read would pass for the next request. So the response announces that the connection closes.
        """
        if not conn.is_complete:
            req.force_close()
            conn.parser.unreader.sock = _DeadlineSocket(conn.sock, BODY_SECONDS)
        try:
            return super().handle_request(req, conn)
        except (TimeoutError, BlockingIOError):  # The client sends, or reads, too slowly; that is no error of ours.
            return False

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        """Return True if the connection can serve another request, after discarding what is left of the body."""
        return bool(keepalive) and bool(conn.parser.finish_body())

    # --- Closing -------------------------------------------------------------------------------------

    def linger(self, sock: socket.socket) -> None:
        """Close our side of a connection, and the rest when the client has closed its own or had its time.

        What the client still sends is read and discarded: closing over unread bytes resets a connection,
        and the client may lose the response.
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
        self._lingering[sock][1] -= len(data)
        if not data or self._lingering[sock][1] <= 0:
            self._close_lingering(sock)

    def _close_lingering(self, sock: socket.socket) -> None:
        del self._lingering[sock]
        self.poller.unregister(sock)
        util.close(sock)


class _DeadlineSocket:
    """A socket that receives until a deadline, however little comes at a time."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._deadline = time.monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """Return what comes next. Raises TimeoutError."""
        self._sock.settimeout(max(self._deadline - time.monotonic(), 0.001))
        try:
            return self._sock.recv(size)
        finally:
            self._sock.settimeout(None)
