"""The door inside a process: a callback for the `responses` library."""

import re
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import IncompleteRead, ProtocolError

from orgs.salesforce.emulator import faults
from orgs.salesforce.emulator.core import Emulator
from orgs.salesforce.emulator.wire import Request

_ANY_URL = re.compile(r"https://.*")
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")


def install(world: Emulator, mock: Any) -> None:
    """Answer every https request of this process. Faults of the network become its exceptions."""

    def callback(request: Any) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.url)
        host = str(request.headers.get("Host") or parts.hostname).partition(":")[0].lower()
        if not world.knows_host(host):
            raise requests.ConnectionError("Name or service not known")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        response = world.answer(Request(request.method, host, target, request.headers, body))
        _raise_damage(response.damage, response.body)
        headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body))}
        return response.status, {**response.headers, **headers}, response.body

    for method in _METHODS:
        mock.add_callback(method, _ANY_URL, callback=callback, content_type=None)


def _raise_damage(damage: str, body: bytes) -> None:
    if damage in (faults.HANG, faults.DRIP_BODY, faults.DRIP_HEADERS):
        raise requests.ReadTimeout("Read timed out.")
    if damage == faults.RESET:
        raise requests.ConnectionError(ProtocolError("Connection aborted."))
    if damage == faults.TRUNCATE:
        raise requests.exceptions.ChunkedEncodingError(IncompleteRead(len(body) // 2, len(body)))
    if damage == faults.NO_NAME:
        raise requests.ConnectionError("Name or service not known")
