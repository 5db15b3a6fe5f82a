"""A request that is being received: how much has arrived, and whether it can be served without waiting for more.

This finds the end of a request only. gunicorn's parser decides whether it is valid.
"""

import re

# Received before a thread is assigned: any head, and any body that an anonymous caller may send.
MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024
# A chunked body with its framing.
_MAX_CHUNKED = 4 * MAX_BODY
_MAX_LINE = 1024

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?")
_END_OF_HEAD = b"\r\n\r\n"


class IncomingRequest:
    """One request. `is_ready` if it can be served, and `is_complete` if its whole body has been received.

    A request with a body over MAX_BODY is ready as soon as that is known: the application refuses it, or reads
    the rest after authentication. `refusal` is the status of a request that can be neither received nor served.
    """

    def __init__(self, held: bytes = b"") -> None:
        self._data = bytearray()
        self._end_of_head = -1
        self._at = 0
        self._payload = 0
        self._is_chunked = False
        self._length = 0
        self._expects = False
        self.is_ready = False
        self.is_complete = True
        self.refusal: int | None = None
        self.feed(held)

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Add bytes that were received."""
        self._data += data
        if self._end_of_head < 0 and not self._find_head():
            return
        if self._is_chunked:
            self._follow_chunks()
        elif not self.is_ready:
            self.is_ready = len(self._data) >= self._end_of_head + self._length

    def wants_continue(self) -> bool:
        """Return True, once, if the client is waiting for `100 Continue` before it sends the body."""
        wants, self._expects = self._expects and not self.is_ready, False
        return wants

    def take(self) -> bytes:
        """Return the received bytes, without an `Expect: 100-continue` that was already handled."""
        if self._end_of_head < 0 or not self.is_complete:
            return bytes(self._data)
        lines = bytes(self._data[: self._end_of_head - 2]).split(b"\r\n")
        kept = [line for line in lines if not re.fullmatch(rb"(?i)expect:[ \t]*100-continue[ \t]*", line)]
        return b"\r\n".join(kept) + b"\r\n" + bytes(self._data[self._end_of_head :])

    def _find_head(self) -> bool:
        """Find and read the head; return False if it is incomplete."""
        while self._data.startswith(b"\r\n"):  # Empty lines before a request are skipped (RFC 9112, section 2.2).
            del self._data[:2]
        found = self._data.find(_END_OF_HEAD, max(0, self._at - 3))
        if found < 0:
            self._at = len(self._data)
            self.refusal = 431 if len(self._data) > MAX_HEAD else None
            return False
        self._at = self._end_of_head = found + len(_END_OF_HEAD)
        self._read_head(bytes(self._data[:found]))
        return True

    def _read_head(self, head: bytes) -> None:
        fields = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
        named = [(name.lower(), value.strip(b" \t").lower()) for name, _, value in fields]
        lengths = [value for name, value in named if name == b"content-length"]
        codings = [value for name, value in named if name == b"transfer-encoding"]
        self._expects = (b"expect", b"100-continue") in named and head.split(b"\r\n")[0].endswith(b"HTTP/1.1")
        if codings == [b"chunked"] and not lengths:
            self._is_chunked = True
        elif not codings and len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) <= 12:
            self._length = int(lengths[0])
            self.is_complete = self._length <= MAX_BODY
            self.is_ready = not self.is_complete
        elif codings or lengths:  # The parser rejects it without reading a body.
            self.is_ready, self.is_complete = True, False

    def _follow_chunks(self) -> None:
        """Advance over the chunks that have been received."""
        while not self.is_ready and self.refusal is None:
            end = self._data.find(b"\r\n", self._at, self._at + _MAX_LINE)
            size = _CHUNK_SIZE.fullmatch(self._data, self._at, end) if end >= 0 else None
            if size is None:
                self.refusal = 400 if end >= 0 or len(self._data) - self._at >= _MAX_LINE else None
                break
            if not self._skip_chunk(end + 2, int(size[1], 16)):
                break
        if not self.is_ready and len(self._data) - self._end_of_head > _MAX_CHUNKED:
            self.refusal = 413

    def _skip_chunk(self, start: int, size: int) -> bool:
        """Skip a chunk, or the last one with its trailers; return False if it has not been received in full."""
        if size == 0:
            # The empty line after the trailers, or after the last chunk if there are none.
            self.is_ready = self._data.find(_END_OF_HEAD, start - 2) >= 0
            return False
        end = start + size
        if self._payload + min(size, len(self._data) - start) > MAX_BODY:
            self.is_ready, self.is_complete = True, False
        elif len(self._data) < end + 2:
            return False
        elif self._data[end : end + 2] != b"\r\n":
            self.refusal = 400
        self._payload += size
        self._at = end + 2
        return True
