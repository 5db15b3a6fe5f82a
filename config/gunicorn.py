"""Configuration of gunicorn: processes with threads, and logs without request data.

Start it from the project's root: `gunicorn -c config/gunicorn.py config.wsgi`. Command-line options override
this file. Django limits request bodies (MAX_REQUEST_BYTES).
"""

import json
import logging
import os
import socket
import sys
import uuid
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from gunicorn import util  # type: ignore[import-untyped]  # untyped

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config.framework_errors import (  # noqa: E402
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PAYLOAD_TOO_LARGE,
    REQUEST_TIMEOUT,
    FrameworkError,
)
from config.server_settings import read_settings  # noqa: E402

_settings = read_settings()


class RequestTextFilter(logging.Filter):
    """Removes request data from gunicorn's log lines: a path or query may contain a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record, and replace messages that quote the request."""
        if str(record.msg).startswith(("Error handling request", "Invalid request from")):
            record.msg, record.args = "A request could not be served.", ()
        return True


# The messages and actions where they differ from those of the status.
_INVALID = replace(
    INVALID_REQUEST,
    message="The request is not well-formed HTTP, or its URL or headers are too long.",
    action="Percent-encode the URL (curl: --get --data-urlencode), and send fewer headers.",
)
_TOO_LARGE = replace(
    PAYLOAD_TOO_LARGE,
    message="The framing of the chunked body is larger than its content.",
    action="Send larger chunks, or a Content-Length.",
)
_ERRORS: dict[int, FrameworkError] = {error.status: error for error in (REQUEST_TIMEOUT, _TOO_LARGE, INTERNAL_ERROR)}


def write_refusal(line: socket.socket, status: int, _reason: str, _message: str) -> None:
    """Write the API's error body for a request that did not reach Django, instead of HTML that quotes the request."""
    request_id, phrase = uuid.uuid4().hex, HTTPStatus(status).phrase
    error = _ERRORS.get(status, _INVALID)
    text = {"code": error.code, "message": error.message, "action": error.action}
    body = json.dumps({"statusCode": status, "error": phrase, **text, "requestId": request_id})
    head = (
        f"HTTP/1.1 {status} {phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        f"X-Request-Id: {request_id}",
    )
    util.write_nonblock(line, "\r\n".join((*head, "", body)).encode())


util.write_error = write_refusal

bind = "127.0.0.1:8000"
workers = _settings.WEB_CONCURRENCY
worker_class = "config.worker.Worker"
threads = _settings.WEB_THREADS
# Includes idle keep-alive connections; further connections wait in the backlog.
worker_connections = max(1000, 4 * _settings.WEB_THREADS)
# Longer than the 60 seconds for which common proxies keep an idle connection, so that the proxy closes
# it first and never sends a request on a closing one.
keepalive = 75
# A restart waits for two consecutive calls to Salesforce. Only the registration of an org that responds very
# slowly takes longer, and can be repeated.
graceful_timeout = 10 + round(2 * _settings.SALESFORCE_TIMEOUT_SECONDS)
timeout = 60

limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
# Only Django evaluates X-Forwarded-*, by TRUSTED_PROXY_COUNT.
forwarded_allow_ips = ""

# The heartbeat file is in memory: on a busy disk, a write can take longer than the timeout.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # gunicorn creates the file safely
# The control socket is not used, and would be created in the home directory.
control_socket_disable = True

# No access log: its lines contain paths and query strings. The audit trail records access.
accesslog = None
logconfig_dict = {
    **_settings.LOGGING,
    "filters": {"request_text": {"()": RequestTextFilter}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["request_text"]},
    },
    "loggers": {
        "gunicorn.error": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "propagate": False},
    },
}
