"""Log lines as JSON objects, which no value can split into a second line.

A line never contains a query string, a request body or a path, which may contain a token: lines about a
request name its route instead.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType

from django.http import HttpRequest

from authn.web.request_id import request_id_of


class JSONLineFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Tracebacks hold locations and exception names, never texts, which may quote secrets."""
        request = getattr(record, "request", None)
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if request is None else _about_request(record, request),
        }
        if request is not None:
            line["requestId"] = request_id_of(request)
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["where"] = _locations(record.exc_info[2])
        return json.dumps(line, ensure_ascii=True)


def _about_request(record: logging.LogRecord, request: HttpRequest) -> str:
    match = getattr(request, "resolver_match", None)
    route = match.route if match else "an unknown path"
    return f"{getattr(record, 'status_code', '')} {request.method} {route}".strip()


def _locations(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
