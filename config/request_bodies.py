"""How large a body may be: MAX_REQUEST_BYTES from a caller who is known, 64 KiB from anybody else.

A declared length is compared before a byte of the body is read, at every address. A chunked body,
which has none, is counted while it is read.
"""

import io
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest

# What `declare_length` found out about a chunked body.
_IS_LONG, _IS_BROKEN = "frontdesk.long_chunked_body", "frontdesk.broken_body"


def limit_for(user: Any) -> int:
    """Return how many bytes a user or actor may send; None stands for an anonymous caller."""
    known: int = settings.MAX_REQUEST_BYTES
    unknown: int = settings.MAX_ANONYMOUS_REQUEST_BYTES
    return known if getattr(user, "is_authenticated", False) else unknown


def declared_length(request: HttpRequest) -> int:
    """Return the length of a body, or for a long chunked one a lower bound of it."""
    if request.META.get(_IS_LONG):
        return limit_for(None) + 1
    declared = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(declared[:20]) if declared.isascii() and declared.isdigit() else 0


def is_broken(request: HttpRequest) -> bool:
    """Return True if a chunked body is malformed or cut off."""
    return bool(request.META.get(_IS_BROKEN))


def declare_length(environ: dict[str, Any]) -> None:
    """Give a chunked body a length, without which Django takes it for empty.

    Up to the limit of anonymous callers it is read into memory here. The rest of a longer one is left to
    the view, which knows the caller; its declared length is one byte more than anybody may send.
    """
    if environ.get("CONTENT_LENGTH") or "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return
    stream: IO[bytes] = environ["wsgi.input"]
    try:
        start = stream.read(limit_for(None) + 1)
    except OSError:  # gunicorn's errors for malformed chunks are of this class, too
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
