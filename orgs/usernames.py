"""What may be a username or the name of a sandbox."""

import re

MAX_LENGTH = 255
_SHAPE = re.compile(r"[^\s:,/\\?#<>\"(){}\[\]|\x00]+")


def is_username_like(text: str) -> bool:
    """Tell a username or sandbox name from an address, a secret, or markup sent in its place.

    Usernames stand in messages and in the audit, where an auth URL must never get to.
    """
    return len(text) <= MAX_LENGTH and bool(_SHAPE.fullmatch(text))
