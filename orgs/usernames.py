"""The syntax that usernames and sandbox names share."""

import re

from authn.web.safe_text import is_safe_text

MAX_LENGTH = 255
_SHAPE = re.compile(r"[^\s:,/\\?#<>\"(){}\[\]|\x00]+")


def is_username_like(text: str) -> bool:
    """Return True if a text can be a username or sandbox name rather than a URL, a secret or markup.

    Such texts are repeated in messages and in the audit, which must not contain an auth URL.
    """
    return len(text) <= MAX_LENGTH and bool(_SHAPE.fullmatch(text)) and is_safe_text(text)
