"""What may be a username or the name of a sandbox."""

import re

from authn.web.safe_text import is_safe_text

MAX_LENGTH = 255
_SHAPE = re.compile(r"[^\s:,/\\?#<>\"(){}\[\]|\x00]+")


def is_username_like(text: str) -> bool:
    """Return True if a text can be a username or sandbox name, and not an address, a secret, or markup.

    Usernames stand in messages and in the audit, where an auth URL must never get to.
    """
    return len(text) <= MAX_LENGTH and bool(_SHAPE.fullmatch(text)) and is_safe_text(text)
