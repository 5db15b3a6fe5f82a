"""Bounds what a request may bring: MAX_REQUEST_BYTES of a caller who is known, 64 KiB of anybody else.

A length that is declared is judged before a byte of the body is read, at every address. A body
without one, sent in chunks, is counted while it is read.
"""

import io
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest

# What `declare_length` found out about a body that came in chunks.
_IS_LONG, _IS_BROKEN = "frontdesk.long_chunked_body", "frontdesk.broken_body"


def limit_for(user: Any) -> int:
    """Return how many bytes of a body are taken from a user, actor or nobody."""
    known: int = settings.MAX_REQUEST_BYTES
    unknown: int = settings.MAX_ANONYMOUS_REQUEST_BYTES
    return known if getattr(user, "is_authenticated", False) else unknown


def declared_length(request: HttpRequest) -> int:
    """Return the length of a body, or a lower bound of it where it came in chunks and is long."""
    if request.META.get(_IS_LONG):
        return limit_for(None) + 1
    declared = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(declared[:20]) if declared.isascii() and declared.isdigit() else 0


def is_broken(request: HttpRequest) -> bool:
    """Return True if a body came in chunks that are none, or broke off."""
    return bool(request.META.get(_IS_BROKEN))


def declare_length(environ: dict[str, Any]) -> None:
    """Give a body that came in chunks a length, without which Django takes it for empty.

    Up to the limit of anonymous callers it is read here, into memory. Of a longer one the rest is left
    for whoever knows the caller; what is declared is one byte more than is taken from anybody.
    """
    if environ.get("CONTENT_LENGTH") or "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return
    stream: IO[bytes] = environ["wsgi.input"]
    try:
        start = stream.read(limit_for(None) + 1)
    except OSError:  # what gunicorn raises for chunks that are none, too
        start, environ[_IS_BROKEN] = b"", "1"
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(start), str(len(start))
    if len(start) > limit_for(None):
        environ[_IS_LONG], environ["CONTENT_LENGTH"] = "1", str(settings.MAX_REQUEST_BYTES + 1)
        environ["wsgi.input"] = _Continued(start, stream)


class _Continued(io.RawIOBase):
    """A stream whose start was read already."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start = io.BytesIO(start)
        self._rest = rest

    def readable(self) -> bool:
        """Return True: it is for readers."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, as far as the stream goes. Returns how far."""
        part = self._start.read(len(buffer))
        part += self._rest.read(len(buffer) - len(part)) if len(part) < len(buffer) else b""
        buffer[: len(part)] = part
        return len(part)
