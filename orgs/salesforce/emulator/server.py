"""HTTP transport: a threaded server on loopback, plain or with TLS, that can also break connections."""

import socket
import ssl
import struct
import tempfile
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from orgs.salesforce.emulator import faults
from orgs.salesforce.emulator.certificate import make_certificate
from orgs.salesforce.emulator.dispatcher import Dispatcher
from orgs.salesforce.emulator.wire import Request, Response

_MAX_BODY = 1024 * 1024
_Connection = socket.socket | tuple[bytes, socket.socket]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def log_message(self, *_: object) -> None:
        """Log nothing: tests and the demo read their own output."""

    def _respond(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _MAX_BODY)
        chunked = "chunked" in (self.headers.get("Transfer-Encoding") or "")
        body = self._chunks() if chunked else self.rfile.read(length)
        host = (self.headers.get("Host") or "").rpartition(":")
        name = (host[0] if host[2].isdigit() and host[0] else "".join(host)).lower()
        request = Request(self.command, name, self.path, dict(self.headers.items()), body)
        if not self.server.emulator.knows_host(name):
            self._send(Response(404, b"no such host", "text/plain"))
            return
        self._deliver(self.server.emulator.respond(request))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _respond

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _deliver(self, response: Response) -> None:
        if response.damage == faults.HANG:
            self.server.sleep(response.seconds)
        elif response.damage == faults.RESET:
            self._reset()
            return
        elif response.damage == faults.TRUNCATE:
            self._send(response, stop_at=len(response.body) // 2)
            self._reset()
            return
        elif response.damage in (faults.DRIP_BODY, faults.DRIP_HEADERS):
            self._drip(response, headers=response.damage == faults.DRIP_HEADERS)
            return
        self._send(response)

    def _send(self, response: Response, *, stop_at: int | None = None) -> None:
        body = b"" if self.command == "HEAD" else response.body[:stop_at]
        self.wfile.write(self._head(response) + body)
        self.wfile.flush()

    def _head(self, response: Response) -> bytes:
        lines = [
            f"HTTP/1.1 {response.status or 200} Emulated",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _drip(self, response: Response, *, headers: bool) -> None:
        head, body = self._head(response), response.body
        slow = head + body if headers else body
        if not headers:
            self.wfile.write(head)
        pause = response.seconds / max(len(slow), 1)
        for place in range(len(slow)):
            self.wfile.write(slow[place : place + 1])
            self.wfile.flush()
            if self.server.sleep(pause):
                return

    def _reset(self) -> None:
        # Closing with a linger of zero sends RST, as a crashed peer or a firewall does.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.server.forget(self.connection)
        socket.socket.close(self.connection)

    def handle(self) -> None:
        """Serve a connection until either side closes it, which is not an error here."""
        try:
            super().handle()
        except (OSError, ValueError):
            self.close_connection = True

    def finish(self) -> None:
        """Close the streams; a reset connection has nothing left to flush."""
        try:
            super().finish()
        except (OSError, ValueError):
            return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], emulator: Dispatcher, context: ssl.SSLContext | None) -> None:
        super().__init__(address, _Handler)
        self.emulator = emulator
        self._context = context
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()

    def sleep(self, seconds: float) -> bool:
        """Sleep until the time is over or the server stops. Returns True if it stops."""
        return self._stopping.wait(seconds)

    def finish_request(self, request: _Connection, client_address: object) -> None:
        """Serve one connection in its own thread; the TLS handshake happens here, not in accept."""
        if not isinstance(request, socket.socket):
            raise TypeError("This is a TCP server.")
        if self._context is not None:
            try:
                request = self._context.wrap_socket(request, server_side=True)
            except OSError:
                return
        with self._open_lock:
            self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self.forget(request)
            with suppress(OSError):
                request.close()

    def forget(self, connection: socket.socket) -> None:
        """Stop tracking a connection, so that `stop` does not shut it down."""
        with self._open_lock:
            self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: tests close connections on purpose."""

    def stop(self) -> None:
        """Stop accepting connections and shut down the open ones."""
        self._stopping.set()
        self.shutdown()
        self.server_close()
        with self._open_lock:
            still_open = list(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class EmulatorServer:
    """A running server. `url` is its address; with TLS, `ca_bundle` is the path of its certificate."""

    def __init__(self, emulator: Dispatcher, *, tls: bool = False, port: int = 0) -> None:
        self._folder = tempfile.TemporaryDirectory() if tls else None
        self.ca_bundle = ""
        context = None
        if self._folder is not None:
            self.ca_bundle, key = make_certificate(Path(self._folder.name))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.ca_bundle, key)
        self._server = _Server(("127.0.0.1", port), emulator, context)
        self.port: int = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "EmulatorServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()
        # Handler threads end when their connections are shut down; give the last ones a moment.
        time.sleep(0.01)
        if self._folder is not None:
            self._folder.cleanup()
