"""Application tokens: bearer tokens of CI jobs, issued here, shown once and stored as a hash.

A token is `fdt_` + 36 random characters + 6 characters of checksum. Prefix and checksum let secret
scanners recognise a leaked token, and let us refuse a mistyped one without a query.
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
# The time of the last use is written at most this often: a busy job must not turn each read into a write.
_LAST_USED_GRAIN = timedelta(minutes=1)


def issue(*, name: str, days: int, by: Principal) -> tuple[ApplicationToken, str]:
    """Issue a token that is valid for `days` days. Returns its row and its value, which is not stored."""
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
            target=row.audit_target,
            changes=audit.changes({}, {"name": name, "expiresAt": row.expires_at}),
        )
    return row, value


def is_application_token(value: str) -> bool:
    """Return True if a bearer token has the prefix of application tokens."""
    return value.startswith(PREFIX)


def find(value: str) -> ApplicationToken:
    """Return the row of an active token, and record the time of its use.

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
    _record_use(row, now)
    return row


def revoke(identifier: str, *, by: Principal) -> ApplicationToken:
    """Revoke a token, effective at once on every worker. Raises TokenNotFound.

    `identifier` is the token's id or its value; the documented path names the value.
    """
    with transaction.atomic():
        row = ApplicationToken.objects.filter(_matching(identifier), revoked_at=None).first()
        now = timezone.now()
        if row is None or not ApplicationToken.objects.filter(pk=row.pk, revoked_at=None).update(revoked_at=now):
            raise TokenNotFound
        row.revoked_at = now
        changes = audit.changes({}, {"revokedAt": now})
        audit.record(audit.Action.TOKEN_REVOKED, audit.Outcome.GRANTED, by=by, target=row.audit_target, changes=changes)
    return row


def _matching(identifier: str) -> Q:
    if _SHAPE.match(identifier):
        return Q(digest=_digest(identifier))
    try:
        return Q(pk=uuid.UUID(identifier))
    except ValueError as error:
        raise TokenNotFound from error


def _record_use(row: ApplicationToken, now: datetime) -> None:
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
    # 214 random bits cannot be guessed, so an unsalted hash is safe, and one index look-up finds it.
    return hashlib.sha256(value.encode()).hexdigest()
