"""A WSGI application that returns the number of bytes that it read."""

from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Return the size of the body; /unread reads none of it."""
    body = b"" if environ["PATH_INFO"] == "/unread" else environ["wsgi.input"].read()
    content = f"{environ['REQUEST_METHOD']} {len(body)} {environ.get('HTTP_EXPECT', '')}".strip().encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
