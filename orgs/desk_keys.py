"""The key under which tokens are hashed: made once, kept in the database, never shown."""

import base64
import secrets
from functools import cache

from django.db import transaction

from orgs.models import DeskKey

_TOKEN_HASHES = "token-hashes"


def make_desk_keys() -> None:
    """Make the key that is missing. Runs after each migration and changes nothing when it is there."""
    token_hash_key.cache_clear()
    value = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    with transaction.atomic():
        DeskKey.objects.get_or_create(name=_TOKEN_HASHES, defaults={"sealed_key": value})


@cache
def token_hash_key() -> bytes:
    """Return the 32 bytes that hash tokens. Read once a process: they never change."""
    return base64.urlsafe_b64decode(DeskKey.objects.get(name=_TOKEN_HASHES).sealed_key)
