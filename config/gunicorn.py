"""How gunicorn serves Frontdesk: processes with threads, and logs that repeat nothing of a request.

Start it from the project's folder: `gunicorn -c config/gunicorn.py config.wsgi`. Options on the
command line win over this file. Bodies are bounded by Django (MAX_REQUEST_BYTES).
"""

import json
import logging
import os
import socket
import sys
import uuid
from http import HTTPStatus
from pathlib import Path

from gunicorn import util  # type: ignore[import-untyped]  # it has no types

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from config.server_settings import read_settings  # noqa: E402

_settings = read_settings()


class RequestTextFilter(logging.Filter):
    """Cut what a caller sent out of gunicorn's own lines: a query or a path may hold a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record, with a text of ours where gunicorn's would quote the request."""
        if str(record.msg).startswith(("Error handling request", "Invalid request from")):
            record.msg, record.args = "A request could not be served.", ()
        return True


_NOT_HTTP = {
    "code": "INVALID_REQUEST",
    "message": "The request is not well-formed HTTP, or its address or headers are too long.",
    "action": "Percent-encode the address (curl: --get --data-urlencode), and send no more headers than are needed.",
}
_TOO_SLOW = {
    "code": "REQUEST_TIMEOUT",
    "message": "The request did not arrive in time.",
    "action": "Send it again, without pauses.",
}
_TOO_LARGE = {
    "code": "PAYLOAD_TOO_LARGE",
    "message": "The request body is larger than its content.",
    "action": "Send larger chunks, or a Content-Length.",
}
_BROKEN = {
    "code": "INTERNAL_ERROR",
    "message": "Something went wrong on our side.",
    "action": "Try again; if it stays, give the requestId to whoever runs this desk.",
}


_WORDS: dict[int, dict[str, str]] = {
    HTTPStatus.REQUEST_TIMEOUT: _TOO_SLOW,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _TOO_LARGE,
    HTTPStatus.INTERNAL_SERVER_ERROR: _BROKEN,
}


def write_refusal(line: socket.socket, status: int, _reason: str, _message: str) -> None:
    """Answer what never came to Django in the words of the API; gunicorn's own would quote the request in HTML."""
    request_id, phrase = uuid.uuid4().hex, HTTPStatus(status).phrase
    what = _WORDS.get(status, _NOT_HTTP)
    body = json.dumps({"statusCode": status, "error": phrase, **what, "requestId": request_id})
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
# Room for idle keep-alive connections beside those that a thread serves; beyond it they wait in the backlog.
worker_connections = max(1000, 4 * _settings.WEB_THREADS)
# Longer than the 60 seconds for which common proxies keep an idle connection, so that the proxy
# closes it first and never sends a request into a closing one.
keepalive = 75
# A restart lets two calls to Salesforce in a row come to their end: whoever is cut off later has
# registered an org that answers very slowly, and may do so again.
graceful_timeout = 10 + round(2 * _settings.SALESFORCE_TIMEOUT_SECONDS)
timeout = 60

limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190
# Django alone judges X-Forwarded-*, by TRUSTED_PROXY_COUNT.
forwarded_allow_ips = ""

# The heartbeat file in memory: on a busy disk a beat can take longer than the timeout.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a folder of the system, and gunicorn makes the file
# Nobody manages this server at run time, and its socket would lie in a home folder.
control_socket_disable = True

# No access log: its lines hold paths and query strings. The audit trail tells who did what.
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
