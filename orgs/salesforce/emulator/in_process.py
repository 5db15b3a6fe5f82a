"""In-process transport: a callback for the `responses` library."""

import errno
import re
import socket
import ssl
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import IncompleteRead, ProtocolError, ProxyError

from orgs.salesforce.emulator import faults
from orgs.salesforce.emulator.dispatcher import Dispatcher
from orgs.salesforce.emulator.wire import Request, Response

_ANY_URL = re.compile(r"https://.*")
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")

Callback = Callable[[requests.PreparedRequest], tuple[int, dict[str, str], bytes]]


class CallbackRegistry(Protocol):
    """The part of `responses.RequestsMock` that is used; the demo runs without that library."""

    def add_callback(
        self, method: str, url: re.Pattern[str], callback: Callback, *, content_type: str | None
    ) -> object:
        """Register a callback for a method and URL."""


def install(emulator: Dispatcher, mock: CallbackRegistry) -> None:
    """Route every https request of this process to an emulator. Network faults raise what requests raises."""

    def callback(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(str(request.url))
        host = str(request.headers.get("Host") or parts.hostname).partition(":")[0].lower()
        if not emulator.knows_host(host):
            raise _no_name()
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        response = emulator.respond(Request(str(request.method), host, target, request.headers, body))
        _raise_damage(response)
        headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body))}
        return response.status, {**response.headers, **headers}, response.body

    for method in _METHODS:
        mock.add_callback(method, _ANY_URL, callback=callback, content_type=None)


def _raise_damage(response: Response) -> None:
    """Raise what requests raises, with the errors that it wraps."""
    damage, length = response.damage, len(response.body)
    if damage in (faults.HANG, faults.DRIP_BODY, faults.DRIP_HEADERS):
        raise requests.ReadTimeout("Read timed out.")
    if damage == faults.RESET:
        raise requests.ConnectionError(ProtocolError("Connection aborted."))
    if damage == faults.TRUNCATE:
        raise requests.exceptions.ChunkedEncodingError(IncompleteRead(length // 2, length))
    if damage == faults.NO_NAME:
        raise _no_name()
    if damage == faults.CONNECTION_REFUSED:
        raise requests.ConnectionError(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    if damage == faults.NO_ROUTE:
        raise requests.ConnectionError(OSError(errno.EHOSTUNREACH, "No route to host"))
    if damage == faults.PROXY_REFUSED:
        refused = OSError(f"Tunnel connection failed: {response.status} Refused")
        raise requests.exceptions.ProxyError(ProxyError("Unable to connect to proxy", refused))
    if damage == faults.UNTRUSTED:
        raise requests.exceptions.SSLError(ssl.SSLCertVerificationError(1, "certificate verify failed"))


def _no_name() -> requests.ConnectionError:
    return requests.ConnectionError(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
