"""Application tokens: the keys of CI jobs, made here, shown once, stored as a hash.

A token reads `fdt_` + 36 random characters + 6 characters of checksum. The prefix and checksum
let secret scanners find a leaked token without asking us, and let us refuse a mistyped one
without asking the database.
"""

import hashlib
import re
import secrets
import string
import uuid
import zlib
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from authn import audit
from authn.database.failures import write_if_possible
from authn.errors import BearerExpired, BearerRefused, BearerRevoked, TokenNotFound
from authn.models import ApplicationToken
from authn.principals import Principal

PREFIX = "fdt_"
MAX_DAYS = 365
DEFAULT_DAYS = 30
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 36
_CHECKSUM_LENGTH = 6
_SHAPE = re.compile(rf"fdt_[0-9A-Za-z]{{{_RANDOM_LENGTH + _CHECKSUM_LENGTH}}}\Z", re.ASCII)
# A row is touched at most this often: a busy job should not turn each read into a write.
_LAST_USED_GRAIN = timedelta(minutes=1)


def issue(*, name: str, days: int, by: Principal) -> tuple[ApplicationToken, str]:
    """Make a token that is good for `days` days. Returns its row and its value, seen this once."""
    value = _new_value()
    now = timezone.now()
    row = ApplicationToken(
        name=name,
        digest=_digest(value),
        prefix=value[: len(PREFIX) + 6],
        created_by_name=by.name,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    with transaction.atomic():
        row.save(force_insert=True)
        audit.record(
            audit.Action.TOKEN_CREATED,
            audit.Outcome.GRANTED,
            by=by,
            token=value,
            name=name,
            id=str(row.id),
            days=days,
        )
    return row, value


def is_application_token(value: str) -> bool:
    """Tell an application token from any other bearer, by its prefix."""
    return value.startswith(PREFIX)


def find(value: str) -> ApplicationToken:
    """Return the row of a token that is good now, and note that it was used.

    Raises BearerRefused (malformed or unknown), BearerExpired, BearerRevoked.
    """
    if not _SHAPE.match(value) or _checksum(value[:-_CHECKSUM_LENGTH]) != value[-_CHECKSUM_LENGTH:]:
        raise BearerRefused
    row = ApplicationToken.objects.filter(digest=_digest(value)).first()
    if row is None:
        raise BearerRefused
    now = timezone.now()
    holder = Principal(kind="application", id=str(row.id), name=row.name, role=None)
    if row.revoked_at is not None:
        raise BearerRevoked(holder)
    if row.expires_at <= now:
        raise BearerExpired(holder)
    _note_use(row, now)
    return row


def revoke(identifier: str, *, by: Principal) -> ApplicationToken:
    """End a token at once, on every worker. Takes its id, or its value.

    A value is taken too, because that is what the documented path asks for. Raises TokenNotFound.
    """
    with transaction.atomic():
        row = ApplicationToken.objects.filter(_named(identifier), revoked_at=None).first()
        now = timezone.now()
        if row is None or not ApplicationToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=now):
            raise TokenNotFound
        row.revoked_at = now
        audit.record(audit.Action.TOKEN_REVOKED, audit.Outcome.GRANTED, by=by, name=row.name, id=str(row.id))
    return row


def _named(identifier: str) -> Q:
    if _SHAPE.match(identifier):
        return Q(digest=_digest(identifier))
    try:
        return Q(pk=uuid.UUID(identifier))
    except ValueError as error:
        raise TokenNotFound from error


def _note_use(row: ApplicationToken, now: datetime) -> None:
    if row.last_used_at is None or row.last_used_at < now - _LAST_USED_GRAIN:
        write_if_possible(lambda: ApplicationToken.objects.filter(pk=row.pk).update(last_used_at=now))


def _new_value() -> str:
    start = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return start + _checksum(start)


def _checksum(start: str) -> str:
    number = zlib.crc32(start.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits


def _digest(value: str) -> str:
    # 214 random bits cannot be guessed, so a plain hash is enough and one index look-up finds it.
    return hashlib.sha256(value.encode()).hexdigest()
