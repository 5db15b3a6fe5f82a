"""A deadline for a whole exchange, from connect to the last byte, which requests does not have.

The time-outs of requests start anew with every byte that arrives: a server that sends one byte a
second holds a caller for ever. So each exchange has a Watch, and at its deadline a timer shuts the
connection's socket down, wherever the exchange is: TLS handshake, headers or body. Only the look-up
of the host name is bounded by the resolver's own limits.
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

# Salesforce and the proxies on the way close idle connections. One that has idled longer than this
# is not trusted with a refresh: an answer lost to a stale connection can cost the refresh token.
MAX_IDLE_SECONDS = 20.0

_current = threading.local()


class Watch:
    """Bounds one exchange of the current thread, and records whether bytes went out.

    Nothing is sent after `seconds`. A response may be read for `read_on_seconds` from the start, if that
    is longer. `sent` stays None when no connection of ours was used at all.
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
        """End the exchange unless bytes went out already. Returns True if a response may still come."""
        with self._lock:
            if not self.sent:
                self._end()
            return bool(self.sent) and not self.expired

    def note_sending(self) -> None:
        """Note that bytes of the request go out now. Raises TimeoutError after the deadline."""
        with self._lock:
            if self.expired or self._is_late:
                raise TimeoutError
            self.sent = True

    def remaining(self) -> float:
        """Return the seconds that are left, never quite none."""
        return max(self._ends_at - time.monotonic(), 0.001)

    def follow(self, handle: socket.socket) -> None:
        """Take note of the socket that the exchange uses now."""
        with self._lock:
            if handle is not self._followed:
                self._let_go()
                # Of our own, because http.client closes a connection that will not be kept before its body is read.
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
        return  # The connection is gone already, which is all we want.


class _Watched:
    """What our connections add to urllib3's: a handle for the watch, a limit to idling, a check of addresses."""

    addresses: AddressPolicy | None = None
    _handle: socket.socket | None = None
    _is_tunnelling = False
    _last_used = 0.0
    _dns_host: str
    timeout: Any

    def _new_conn(self) -> socket.socket:
        opened = self._reach_one_address()
        # A duplicate of the descriptor stays valid when TLS wraps and detaches the socket.
        self._handle = opened.dup()
        self._last_used = time.monotonic()
        if watch := getattr(_current, "watch", None):
            watch.follow(self._handle)
        return opened

    def _reach_one_address(self) -> socket.socket:
        """Connect as urllib3 does, but to an address that was checked, and within the time of the watch.

        The name is resolved once, here: urllib3 gets an address, so that it cannot be given another one. It
        would also give each address the whole time, and Salesforce's hosts have several.
        """
        watch = getattr(_current, "watch", None)
        if watch is not None:
            watch.sent = False
        name, timeout = self._dns_host, self.timeout
        try:
            for address in self._resolve():
                self._dns_host, self.timeout = address, timeout if watch is None else watch.remaining()
                try:
                    return super()._new_conn()  # type: ignore[misc, no-any-return]  # urllib3's, behind the mixin
                except UrllibError as error:
                    failure = error
                if watch is not None and watch.expired:
                    break
            raise failure
        finally:
            self._dns_host, self.timeout = name, timeout

    def _resolve(self) -> list[str]:
        port: int = self.port  # type: ignore[attr-defined]
        if self.addresses is None:
            return _addresses(self._dns_host, port)
        try:
            return self.addresses.resolve(self._dns_host, port)
        except (OSError, UnicodeError) as error:
            # Not left to urllib3, which would resolve the name again, and check nothing.
            raise NewConnectionError(self, f"The name does not resolve: {error}") from error  # type: ignore[arg-type]

    def _tunnel(self) -> None:
        """Ask a proxy for a way through, as urllib3 does; nothing of the request goes out here."""
        self._is_tunnelling = True
        try:
            super()._tunnel()  # type: ignore[misc]
        finally:
            self._is_tunnelling = False

    def send(self, data: Any) -> None:
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()  # type: ignore[attr-defined]
        if watch := getattr(_current, "watch", None):
            if self._handle is not None:
                watch.follow(self._handle)
            if not self._is_tunnelling:
                watch.note_sending()
        self._last_used = time.monotonic()
        super().send(data)  # type: ignore[misc]

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()
        super().close()  # type: ignore[misc]

    @property
    def is_connected(self) -> bool:
        if time.monotonic() - self._last_used > MAX_IDLE_SECONDS:
            return False
        return bool(super().is_connected)  # type: ignore[misc]


def _addresses(name: str, port: int) -> list[str]:
    """Return the addresses of a host, or its name, so that urllib3 tells what is wrong with it."""
    try:
        found = socket.getaddrinfo(name, port, allowed_gai_family(), socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return [name]
    return [str(each[4][0]) for each in found]


class _WatchedHTTPConnection(_Watched, HTTPConnection):
    pass


class _WatchedHTTPSConnection(_Watched, HTTPSConnection):
    pass


class _WatchedPool:
    """What our pools add to urllib3's: their connections check addresses."""

    def __init__(self, *args: Any, addresses: AddressPolicy | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses = addresses

    def _new_conn(self) -> Any:
        connection = super()._new_conn()  # type: ignore[misc]  # urllib3's, behind the mixin
        connection.addresses = self._addresses
        return connection


class _WatchedHTTPPool(_WatchedPool, HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _WatchedHTTPSPool(_WatchedPool, HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class WatchedAdapter(HTTPAdapter):
    """The adapter of requests, over connections that a Watch can end.

    With `addresses` they go to no address but those that it admits. A proxy is connected to in any case:
    it is the operator's own, and resolves the names of hosts itself.
    """

    def __init__(self, *, addresses: AddressPolicy | None = None, **kwargs: Any) -> None:
        self._addresses = addresses
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool manager as requests does, with our pools."""
        super().init_poolmanager(*args, **kwargs)
        _use_watched_pools(self.poolmanager, self._addresses)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the manager for a proxy as requests does, with our pools."""
        manager = super().proxy_manager_for(*args, **kwargs)
        _use_watched_pools(manager, None)
        return manager


def _use_watched_pools(manager: PoolManager, addresses: AddressPolicy | None) -> None:
    pools: Any = {
        "http": partial(_WatchedHTTPPool, addresses=addresses),
        "https": partial(_WatchedHTTPSPool, addresses=addresses),
    }
    manager.pool_classes_by_scheme = pools
