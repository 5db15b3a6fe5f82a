"""Size limits of request bodies: MAX_REQUEST_BYTES for authenticated callers, 64 KiB for anonymous ones.

A declared length is checked before the body is read, on every route. A body of unknown length, which clients send in
chunks, is counted while it is read.
"""

import io
from typing import IO, TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import WSGIEnvironment

# Set by `declare_length` for a body of unknown length.
_IS_LONG, _IS_BROKEN = "frontdesk.long_body", "frontdesk.broken_body"


def limit_for(user: object) -> int:
    """Return the size limit in bytes for a user or principal; None is an anonymous caller."""
    authenticated: int = settings.MAX_REQUEST_BYTES
    anonymous: int = settings.MAX_ANONYMOUS_REQUEST_BYTES
    return authenticated if getattr(user, "is_authenticated", False) else anonymous


def declared_length(request: HttpRequest | Request) -> int:
    """Return the length of a body; for a long body of unknown length, a lower bound."""
    if request.META.get(_IS_LONG):
        return limit_for(None) + 1
    declared = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(declared[:20]) if declared.isascii() and declared.isdigit() else 0


def is_encoded(request: HttpRequest) -> bool:
    """Return True if a body has a Content-Encoding other than `identity`; the desk decodes none."""
    codings = request.headers.get("Content-Encoding", "").lower().split(",")
    return declared_length(request) > 0 and any(coding.strip() not in ("", "identity") for coding in codings)


def is_broken(request: HttpRequest) -> bool:
    """Return True if a chunked body is malformed or cut off."""
    return bool(request.META.get(_IS_BROKEN))


def declare_length(environ: "WSGIEnvironment") -> None:
    """Set the length of a body without one, which Django would treat as empty otherwise.

    It is read only if the server states that its stream ends with the body: otherwise reading would wait for the
    client. It is read into memory up to the limit of anonymous callers. The rest of a longer body is left to the view,
    which knows the caller; its declared length is one byte above every limit.
    """
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
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
    """A stream whose beginning was already read."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        self._start = io.BytesIO(start)
        self._rest = rest

    def readable(self) -> bool:
        """Return True, as a stream for readers does."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read into a buffer. Returns the number of bytes."""
        view = memoryview(buffer).cast("B")
        part = self._start.read(len(view))
        part += self._rest.read(len(view) - len(part)) if len(part) < len(view) else b""
        view[: len(part)] = part
        return len(part)
