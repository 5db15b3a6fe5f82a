"""Faults that tests inject: failures of Salesforce, or of the network in front of it.

`processed` says whether Salesforce acts on the request first. A lost response to a processed
refresh costs the grant: the token has rotated and no client has the new one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from orgs.salesforce.emulator import error_texts
from orgs.salesforce.emulator.wire import Response, json_response, oauth_error

HANG, RESET, TRUNCATE, DRIP_BODY, DRIP_HEADERS, NO_NAME = (
    "hang",
    "reset",
    "truncate",
    "drip_body",
    "drip_headers",
    "no_name",
)
CONNECTION_REFUSED, NO_ROUTE, PROXY_REFUSED, UNTRUSTED = "connection_refused", "no_route", "proxy_refused", "untrusted"


@dataclass(frozen=True)
class Fault:
    """One fault. `change` returns the response to send in place of the real one."""

    name: str
    processed: bool
    change: Callable[[Response], Response]

    @classmethod
    def status(cls, code: int, body: bytes = b"", content_type: str = "text/plain") -> "Fault":
        """Respond with any status and body."""
        return cls(f"status {code}", False, lambda _: Response(code, body, content_type))

    @classmethod
    def html_maintenance(cls, status: int = 503) -> "Fault":
        """Respond with the maintenance page; Salesforce has been seen to send it with status 200 too."""
        return cls("maintenance", False, lambda _: Response(status, error_texts.MAINTENANCE_PAGE, "text/html"))

    @classmethod
    def html_interstitial(cls) -> "Fault":
        """Respond with the page of an org whose domain is not ready."""
        return cls("interstitial", False, lambda _: Response(200, error_texts.INTERSTITIAL_PAGE, "text/html"))

    @classmethod
    def oauth(cls, error: str, description: str) -> "Fault":
        """Refuse as the token endpoint does."""
        return cls(f"{error}: {description}", False, lambda _: oauth_error(error, description))

    @classmethod
    def rest(cls, status: int, error_code: str, message: str = "refused") -> "Fault":
        """Refuse as the REST API does."""
        return cls(
            error_code,
            False,
            lambda _: json_response(status, [{"message": message, "errorCode": error_code}]),
        )

    @classmethod
    def hang(cls, seconds: float, *, processed: bool = True) -> "Fault":
        """Respond after `seconds`, which should exceed the client's time-out."""
        return cls("hang", processed, lambda response: replace(response, damage=HANG, seconds=seconds))

    @classmethod
    def reset(cls, *, processed: bool = True) -> "Fault":
        """Reset the connection instead of responding."""
        return cls("reset", processed, lambda response: replace(response, damage=RESET))

    @classmethod
    def no_name(cls) -> "Fault":
        """Fail the look-up of the host's name (in-process transport only: a server is already connected)."""
        return cls("no name", False, lambda response: replace(response, damage=NO_NAME))

    # The next four happen on the way to Salesforce, like `no_name`, and so in-process only.

    @classmethod
    def connection_refused(cls) -> "Fault":
        """Refuse the connection, as a closed port does."""
        return cls("connection refused", False, lambda response: replace(response, damage=CONNECTION_REFUSED))

    @classmethod
    def no_route(cls) -> "Fault":
        """Have no route to the host."""
        return cls("no route", False, lambda response: replace(response, damage=NO_ROUTE))

    @classmethod
    def proxy_refused(cls, status: int) -> "Fault":
        """Let a proxy refuse the tunnel with a status."""
        return cls(f"proxy {status}", False, lambda _: Response(status, damage=PROXY_REFUSED))

    @classmethod
    def untrusted_certificate(cls) -> "Fault":
        """Present a certificate that is not trusted."""
        return cls("untrusted certificate", False, lambda response: replace(response, damage=UNTRUSTED))

    @classmethod
    def truncated(cls) -> "Fault":
        """Reset the connection in the middle of the body."""
        return cls("truncated", True, lambda response: replace(response, damage=TRUNCATE))

    @classmethod
    def slow_drip(cls, seconds: float, *, headers: bool = False) -> "Fault":
        """Send the response one byte at a time, over `seconds` in total."""
        damage = DRIP_HEADERS if headers else DRIP_BODY
        return cls(damage, True, lambda response: replace(response, damage=damage, seconds=seconds))

    @classmethod
    def redirect(cls, to: str) -> "Fault":
        """Respond with a redirect."""
        return cls("redirect", False, lambda _: Response(302, b"", "text/plain", {"Location": to}))

    @classmethod
    def oversized(cls, size: int = 2 * 1024 * 1024) -> "Fault":
        """Respond with a body of `size` bytes."""
        return cls("oversized", True, lambda response: replace(response, body=b'{"a":"' + b"x" * size + b'"}'))

    @classmethod
    def content_type(cls, content_type: str) -> "Fault":
        """Respond with the real body under another Content-Type."""
        return cls("content type", True, lambda response: replace(response, content_type=content_type))

    @classmethod
    def body(cls, body: bytes) -> "Fault":
        """Respond with status 200 and this body."""
        return cls("body", True, lambda _: Response(200, body))

    @classmethod
    def fields(cls, **changes: object) -> "Fault":
        """Respond with changed JSON fields; None removes a field."""

        def change(response: Response) -> Response:
            content = json.loads(response.body) | changes
            kept = {name: value for name, value in content.items() if value is not None}
            return replace(response, body=json.dumps(kept).encode())

        return cls("fields", True, change)
