"""The key under which tokens are hashed: made once, kept in the database, never shown."""

import base64
import secrets
from functools import cache

from orgs.errors import DeskKeyUnreadable
from orgs.models import DeskKey
from orgs.sealed_column import NotReadable

_TOKEN_HASHES = "token-hashes"


def new_key() -> tuple[str, str]:
    """Return the name of the key and 32 random bytes, as text to seal. The first migration stores them."""
    return _TOKEN_HASHES, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@cache
def token_hash_key() -> bytes:
    """Return the 32 bytes that hash tokens. Read once a process: they never change.

    Raises DeskKeyUnreadable.
    """
    try:
        return base64.urlsafe_b64decode(DeskKey.objects.get(name=_TOKEN_HASHES).sealed_key.open())
    except (NotReadable, DeskKey.DoesNotExist) as error:
        raise DeskKeyUnreadable from error
