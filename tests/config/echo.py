"""A WSGI application that reads what it is told to of a body, and says how much that was."""

from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the number of bytes; below /unread with none read."""
    body = b"" if environ["PATH_INFO"] == "/unread" else environ["wsgi.input"].read()
    content = f"{environ['REQUEST_METHOD']} {len(body)} {environ.get('HTTP_EXPECT', '')}".strip().encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
