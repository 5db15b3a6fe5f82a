"""Request and response values, independent of the transport."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """A request. `host` is the Host header without its port, in lower case."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The path without the query, decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query parameters, the first of each name."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        """The form fields, with client id and secret from a Basic header if the form has none."""
        fields = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = {name: values[0] for name, values in fields.items()}
        scheme, _, value = self.header("Authorization").partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(value).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return form
            form.setdefault("client_id", client_id)
            form.setdefault("client_secret", secret)
        return form

    @property
    def bearer(self) -> str:
        """The bearer token, or ""."""
        scheme, _, value = self.header("Authorization").partition(" ")
        return value.strip() if scheme.lower() in ("bearer", "oauth") else ""

    def header(self, name: str) -> str:
        """Return a header by its case-insensitive name, or ""."""
        return next((value for known, value in self.headers.items() if known.lower() == name.lower()), "")


@dataclass(frozen=True)
class Response:
    """A response. `damage` makes the transport break the connection (see `faults`)."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    damage: str = ""
    seconds: float = 0.0


def json_response(status: int, content: object, **headers: str) -> Response:
    """Return a JSON response."""
    return Response(status, json.dumps(content).encode(), headers=headers)


def rest_error(status: int, error_code: str, message: str) -> Response:
    """Return an error in the list form of the REST API."""
    return json_response(status, [{"message": message, "errorCode": error_code}])


def oauth_error(error: str, description: str) -> Response:
    """Return an error of the OAuth endpoints."""
    return json_response(400, {"error": error, "error_description": description})
