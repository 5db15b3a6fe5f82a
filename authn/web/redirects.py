"""The redirect validator: which addresses a user may be sent to after a log-in.

Paths of this desk and its own absolute URLs; anything else could lead to another host.
"""

import re
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from authn.web.same_origin import own_origins

_MAX_LENGTH = 2000
# Browsers read a backslash as a slash, and drop control characters and spaces.
_UNSAFE = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f]")


def local_path(text: str) -> str:
    """Return a path of this desk with its query, or "" for anything that could lead to another host."""
    return text if len(text) <= _MAX_LENGTH and is_local_path(text) else ""


def is_local_path(text: str) -> bool:
    """Return True if an address is a path: one slash, and no character that a browser reads differently."""
    if _UNSAFE.search(text) or not text.startswith("/") or text.startswith("//"):
        return False
    return url_has_allowed_host_and_scheme(text, allowed_hosts=None)


def is_own_address(request: HttpRequest, text: str) -> bool:
    """Return True if an address is a path of this desk, or an absolute URL of its own origin, in ASCII."""
    if not text.isascii() or _UNSAFE.search(text):
        return False
    if text.startswith("/"):
        return is_local_path(text)
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}".lower() in own_origins(request)
