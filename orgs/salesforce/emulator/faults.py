"""Faults that a test injects: what Salesforce, or the network before it, can do wrong.

`processed` says whether Salesforce acts on the request first. That is what makes a lost answer
dear: the token has rotated, and nobody has the new one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

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


@dataclass(frozen=True)
class Fault:
    """One fault. `change` turns the response that would have gone out into the one that does."""

    name: str
    processed: bool
    change: Callable[[Response], Response]

    @classmethod
    def status(cls, code: int, body: bytes = b"", content_type: str = "text/plain") -> "Fault":
        """Answer any status and body in place of Salesforce."""
        return cls(f"status {code}", False, lambda _: Response(code, body, content_type))

    @classmethod
    def html_maintenance(cls, status: int = 503) -> "Fault":
        """Show the maintenance page; Salesforce has been seen to do so with 200 too."""
        return cls("maintenance", False, lambda _: Response(status, error_texts.MAINTENANCE_PAGE, "text/html"))

    @classmethod
    def html_interstitial(cls) -> "Fault":
        """Show the page of an org whose domain is not ready."""
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
        """Answer only after a time, which is meant to be longer than the client waits."""
        return cls("hang", processed, lambda response: replace(response, damage=HANG, seconds=seconds))

    @classmethod
    def reset(cls, *, processed: bool = True) -> "Fault":
        """Break the connection in place of an answer."""
        return cls("reset", processed, lambda response: replace(response, damage=RESET))

    @classmethod
    def no_name(cls) -> "Fault":
        """Make the host's name unknown (the `responses` door only: nothing is ever connected)."""
        return cls("no name", False, lambda response: replace(response, damage=NO_NAME))

    @classmethod
    def truncated(cls) -> "Fault":
        """Break the connection in the middle of the body."""
        return cls("truncated", True, lambda response: replace(response, damage=TRUNCATE))

    @classmethod
    def slow_drip(cls, seconds: float, *, headers: bool = False) -> "Fault":
        """Send the answer a byte at a time, `seconds` in all."""
        damage = DRIP_HEADERS if headers else DRIP_BODY
        return cls(damage, True, lambda response: replace(response, damage=damage, seconds=seconds))

    @classmethod
    def redirect(cls, to: str) -> "Fault":
        """Send the client elsewhere."""
        return cls("redirect", False, lambda _: Response(302, b"", "text/plain", {"Location": to}))

    @classmethod
    def oversized(cls, size: int = 2 * 1024 * 1024) -> "Fault":
        """Answer with far too much."""
        return cls("oversized", True, lambda response: replace(response, body=b'{"a":"' + b"x" * size + b'"}'))

    @classmethod
    def content_type(cls, content_type: str) -> "Fault":
        """Answer the right body under the wrong name."""
        return cls("content type", True, lambda response: replace(response, content_type=content_type))

    @classmethod
    def body(cls, body: bytes) -> "Fault":
        """Answer 200 with a body of the test's own."""
        return cls("body", True, lambda _: Response(200, body))

    @classmethod
    def fields(cls, **changes: Any) -> "Fault":
        """Answer with changed fields; None takes a field away. For foreign URLs and missing parts."""

        def change(response: Response) -> Response:
            content = json.loads(response.body) | changes
            kept = {name: value for name, value in content.items() if value is not None}
            return replace(response, body=json.dumps(kept).encode())

        return cls("fields", True, change)
