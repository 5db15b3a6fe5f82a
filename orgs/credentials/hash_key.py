"""The key under which tokens are hashed: made once, kept in the database, never shown."""

import base64
import secrets
from functools import cache

from orgs.credentials.errors import DeskSealed
from orgs.credentials.fields import Undecryptable
from orgs.credentials.models import DeskKey

_TOKEN_HASHES = "token-hashes"


def new_key() -> tuple[str, str]:
    """Return the name of the key and 32 random bytes, as text to seal. The first migration stores them."""
    return _TOKEN_HASHES, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@cache
def token_hash_key() -> bytes:
    """Return the 32 bytes that hash tokens. Read once per process: they never change.

    Raises DeskSealed when FERNET_KEYS do not decrypt them.
    """
    try:
        return base64.urlsafe_b64decode(DeskKey.objects.get(name=_TOKEN_HASHES).sealed_key.decrypt())
    except (Undecryptable, DeskKey.DoesNotExist) as error:
        raise DeskSealed from error


def require_unsealed() -> None:
    """Raise DeskSealed unless FERNET_KEYS decrypt this database.

    One query until it has succeeded once; none after that.
    """
    token_hash_key()
