"""The key of the token hashes: random, created by the first migration, stored encrypted, never shown."""

import base64
import secrets
from functools import cache

from orgs.credentials.errors import DeskSealed
from orgs.credentials.fields import Undecryptable
from orgs.credentials.models import DeskKey

_TOKEN_HASHES = "token-hashes"


def new_key() -> tuple[str, str]:
    """Return the name of a new hash key and 32 random bytes in base64. The first migration stores them."""
    return _TOKEN_HASHES, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@cache
def token_hash_key() -> bytes:
    """Return the hash key, 32 bytes. It never changes, and is read once per process.

    Raises DeskSealed if FERNET_KEYS do not decrypt it.
    """
    try:
        return base64.urlsafe_b64decode(DeskKey.objects.get(name=_TOKEN_HASHES).sealed_key.decrypt())
    except (Undecryptable, DeskKey.DoesNotExist) as error:
        raise DeskSealed from error


def require_unsealed() -> None:
    """Raise DeskSealed unless FERNET_KEYS decrypt this database.

    Takes one query until it has succeeded once in this process, none after that.
    """
    token_hash_key()
