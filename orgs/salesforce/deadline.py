"""A deadline for a whole exchange, from connect to the last byte, which requests lacks.

The time-outs of requests restart with every byte that arrives, so a server that sends one byte a
second could hold a caller forever. Each exchange therefore has a Watch, whose timer shuts the
connection's socket down at the deadline, during the TLS handshake, headers or body alike. Only the
name look-up is bounded by the resolver's own limits.
"""

import socket
import threading
import time
from functools import partial
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError as UrllibError
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import allowed_gai_family

from orgs.salesforce.addresses import AddressPolicy

# Salesforce and proxies close idle connections. One that has been idle longer than this is not reused:
# a response lost to a stale connection can cost a refresh token.
MAX_IDLE_SECONDS = 20.0

_current = threading.local()


class Watch:
    """Bounds one exchange of the current thread, and records whether any byte of the request was sent.

    Nothing is sent after `seconds`. A response may be read until `read_on_seconds` after the start, if
    that is longer. `sent` stays None if no watched connection was used.
    """

    def __init__(self, seconds: float, *, read_on_seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.longest_seconds = max(seconds, read_on_seconds)
        self.sent: bool | None = None
        self.expired = False
        self._is_late = self._is_over = False
        self._ends_at = time.monotonic() + seconds
        self._followed: socket.socket | None = None
        self._handle: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = self._new_timer(seconds)

    def __enter__(self) -> "Watch":
        _current.watch = self
        self._ends_at = time.monotonic() + self.seconds
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.watch = None
        with self._lock:
            self._is_over = True
            self._timer.cancel()
            self._let_go()

    def stop_sending(self) -> bool:
        """End the exchange unless bytes were sent already. Returns True if a response may still come."""
        with self._lock:
            if not self.sent:
                self._end()
            return bool(self.sent) and not self.expired

    def note_sending(self) -> None:
        """Record that bytes of the request are sent now. Raises TimeoutError after the deadline."""
        with self._lock:
            if self.expired or self._is_late:
                raise TimeoutError
            self.sent = True

    def remaining(self) -> float:
        """Return the remaining seconds, always more than zero."""
        return max(self._ends_at - time.monotonic(), 0.001)

    def follow(self, handle: socket.socket) -> None:
        """Track the socket that the exchange uses now."""
        with self._lock:
            if handle is not self._followed:
                self._let_go()
                # A duplicate, because http.client closes a connection that is not kept alive before its body is read.
                self._followed, self._handle = handle, handle.dup()
            if self.expired and self._handle is not None:
                _shut_down(self._handle)

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
        self._followed = self._handle = None

    def _expire(self) -> None:
        with self._lock:
            if self._is_over:
                return
            if self.sent and not self._is_late and self.longest_seconds > self.seconds:
                self._is_late = True
                self._timer = self._new_timer(self.longest_seconds - self.seconds)
                self._timer.start()
            else:
                self._end()

    def _end(self) -> None:
        self.expired = True
        if self._handle is not None:
            _shut_down(self._handle)

    def _new_timer(self, seconds: float) -> threading.Timer:
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        return timer


def _shut_down(handle: socket.socket) -> None:
    try:
        handle.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # The connection is closed already.


class _WatchedHTTPConnection(HTTPConnection):
    """A connection that a Watch can end, that limits its idle time and checks the addresses it connects to."""

    _handle: socket.socket | None = None
    _is_tunnelling = False
    _last_used = 0.0
    _dns_host: str

    def __init__(self, *args: Any, addresses: AddressPolicy | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses = addresses

    def _new_conn(self) -> socket.socket:
        opened = self._connect_to_checked_address()
        # A duplicate of the descriptor stays valid when TLS wraps and detaches the socket.
        self._handle = opened.dup()
        self._last_used = time.monotonic()
        if watch := getattr(_current, "watch", None):
            watch.follow(self._handle)
        return opened

    def _connect_to_checked_address(self) -> socket.socket:
        """Connect as urllib3 does, but to a checked address and within the time of the watch.

        The name is resolved once, here. urllib3 receives an address, so that DNS cannot return another one
        after the check. It would also give each address the whole time-out, and Salesforce's hosts have several.
        """
        watch = getattr(_current, "watch", None)
        if watch is not None:
            watch.sent = False
        name, timeout = self._dns_host, self.timeout
        try:
            for address in self._resolve():
                self._dns_host, self.timeout = address, timeout if watch is None else watch.remaining()
                try:
                    return super()._new_conn()
                except UrllibError as error:
                    failure = error
                if watch is not None and watch.expired:
                    break
            raise failure
        finally:
            self._dns_host, self.timeout = name, timeout

    def _resolve(self) -> list[str]:
        if self._addresses is None:
            return _addresses(self._dns_host, self.port)
        try:
            return self._addresses.resolve(self._dns_host, self.port)
        except (OSError, UnicodeError) as error:
            # urllib3 must not resolve the name again, because it would not check the addresses.
            raise NewConnectionError(self, f"The name does not resolve: {error}") from error

    def _tunnel(self) -> None:
        """Open a tunnel through a proxy, as urllib3 does; no byte of the request itself is sent here."""
        self._is_tunnelling = True
        try:
            super()._tunnel()
        finally:
            self._is_tunnelling = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if watch := getattr(_current, "watch", None):
            if self._handle is not None:
                watch.follow(self._handle)
            if not self._is_tunnelling:
                watch.note_sending()
        self._last_used = time.monotonic()
        super().send(data)

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()
        super().close()

    @property
    def is_connected(self) -> bool:
        if time.monotonic() - self._last_used > MAX_IDLE_SECONDS:
            return False
        return bool(super().is_connected)


def _addresses(name: str, port: int) -> list[str]:
    """Return the addresses of a host, or its name, so that urllib3 raises its own error for it."""
    try:
        found = socket.getaddrinfo(name, port, allowed_gai_family(), socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [name]
    return [str(each[4][0]) for each in found]


class _WatchedHTTPSConnection(_WatchedHTTPConnection, HTTPSConnection):
    pass


# Both pools pass `addresses` on to their connections, as they do with every option they do not know.
class _WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class WatchedAdapter(HTTPAdapter):
    """The adapter of requests over connections that a Watch can end.

    `addresses` limits which addresses they connect to. A proxy is not limited: the operator configured
    it, and it resolves the names of hosts itself.
    """

    def __init__(self, *, addresses: AddressPolicy | None = None, pool_connections: int, pool_maxsize: int) -> None:
        self._addresses = addresses
        super().__init__(pool_connections=pool_connections, pool_maxsize=pool_maxsize, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Create the pool manager of requests, with watched pools."""
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        _use_watched_pools(self.poolmanager, self._addresses)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> PoolManager:
        """Create the manager of requests for a proxy, with watched pools."""
        manager: PoolManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        _use_watched_pools(manager, None)
        return manager


def _use_watched_pools(manager: PoolManager, addresses: AddressPolicy | None) -> None:
    pools: dict[str, Any] = {  # urllib3 calls these, although it declares classes.
        "http": partial(_WatchedHTTPPool, addresses=addresses),
        "https": partial(_WatchedHTTPSPool, addresses=addresses),
    }
    manager.pool_classes_by_scheme = pools
