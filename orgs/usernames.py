"""The syntax of usernames and sandbox names. Names outside it are looked up first: see orgs/lookup.py."""

import re

from authn.web.safe_text import is_safe_text
from authn.web.secret_text import is_marked_secret

MAX_LENGTH = 255
_NAME = re.compile(r"[^\s:,/\\?#<>\"(){}\[\]|\x00]+")
# Salesforce itself creates names such as jo@example.com2024/11/25_12-7-57.demo.
_USERNAME = re.compile(r"[^\s:,\\<>\"()\[\]@\x00]+@[^\s:,\\<>\"()\[\]@\x00]+")
SECRET_MESSAGE = (
    "This is an auth URL or a token, not a username. It is a secret: send an auth URL only to register an org."
)
# Query parsers turn a + into a blank.
PLUS_MESSAGE = "No org has this name. A + in a URL means a blank: write it as %2B."


def is_secret(text: str) -> bool:
    """Return True if a text contains an auth URL or a token. A username may begin like a JWT, which has no @."""
    may_be_a_name = "@" in text and "://" not in text and text.lower().startswith("eyj")
    return is_marked_secret(text) and not may_be_a_name


def is_username_like(text: str) -> bool:
    """Return True if a text can be a username or sandbox name rather than a URL, a secret or markup.

    Such texts are repeated in messages and in the audit, which must not contain an auth URL.
    """
    if len(text) > MAX_LENGTH or not is_safe_text(text) or is_secret(text):
        return False
    return bool(_NAME.fullmatch(text) or _USERNAME.fullmatch(text))


def may_be_stored(text: str) -> bool:
    """Return True if a text can be looked up among stored names, whatever their syntax. An auth URL never is."""
    return 0 < len(text) <= MAX_LENGTH and is_safe_text(text) and "force://" not in text.lower()


def lost_a_plus(text: str) -> bool:
    """Return True if a text from a URL reads like a username whose + became a blank."""
    return " " in text and is_username_like(text.replace(" ", "+")) and "@" in text
