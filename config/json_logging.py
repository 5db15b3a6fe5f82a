"""One JSON object for each log line, so that no value can forge a second line.

A line never holds a query string, a request body, or a path in which a token may stand: for lines
about a request the route is written, not what the caller put in its place.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from authn.web.request_id import request_id_of


class JSONLineFormatter(logging.Formatter):
    """Format a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Tracebacks carry places and exception names, never exception texts."""
        request = getattr(record, "request", None)
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if request is None else _about_request(record, request),
        }
        if request is not None:
            line["requestId"] = request_id_of(request)
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["where"] = _places(record.exc_info[2])
        return json.dumps(line, ensure_ascii=True)


def _about_request(record: logging.LogRecord, request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    route = match.route if match else "an unknown path"
    return f"{getattr(record, 'status_code', '')} {request.method} {route}".strip()


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
