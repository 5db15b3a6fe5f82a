"""Sessions: what ss-id and ss-pid name, and what a log-in leaves in the database.

A client holds two ids, a temporary one in ss-id and a permanent one in ss-pid, and ss-opt says which
of the two is its session. Ids are drawn here and never taken from a client, at each log-in anew.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from authn.models import LoginFamily, ServiceStackLogin, User
from authn.servicestack import bearers, people

TEMPORARY_LIFE, PERMANENT_LIFE = timedelta(days=14), timedelta(days=28)
_SHAPE = re.compile(r"[A-Za-z0-9]{20}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Held:
    """What a request presents as its session: the id in use, and whether that is the permanent one."""

    id: str = field(repr=False)
    is_permanent: bool


@dataclass(frozen=True, slots=True)
class LogIn:
    """What a log-in hands out. `session_id` is the one in use, None where tokens are all there is."""

    user: User
    temporary_id: str = field(repr=False)
    permanent_id: str = field(repr=False)
    is_permanent: bool
    has_session: bool
    tokens: bearers.TokenPair

    @property
    def session_id(self) -> str | None:
        """Return the id of the session, None where there is none."""
        used = self.permanent_id if self.is_permanent else self.temporary_id
        return used if self.has_session else None


def start(request: HttpRequest, user: User, *, provider: str, remember: bool | None, tokens_only: bool) -> LogIn:
    """Log a person in: a new session, unless tokens alone are wanted, and a pair of tokens.

    The session that the request came with ends, so that nobody who knows its id gets in with it.
    Raises Refusal when the person was changed since the password was checked.
    """
    held = held_by(request)
    permanent = remember if remember is not None else held.is_permanent
    temporary_id, permanent_id = _new_id(), _new_id()
    now = timezone.now()
    session_end = now + (PERMANENT_LIFE if permanent else TEMPORARY_LIFE)
    with people.starting(request, user):
        forget(held)
        family, pair = bearers.start(user, until=session_end)
        ServiceStackLogin.objects.create(
            family=family,
            password_mark=user.get_session_auth_hash(),
            session_digest=None if tokens_only else _digest(permanent_id if permanent else temporary_id),
            is_permanent=permanent,
            session_expires_at=None if tokens_only else session_end,
        )
        people.note_login(request, user, family=str(family.id), door="servicestack", provider=provider)
    return LogIn(
        user=user,
        temporary_id=temporary_id,
        permanent_id=permanent_id,
        is_permanent=permanent,
        has_session=not tokens_only,
        tokens=pair,
    )


def held_by(request: HttpRequest) -> Held:
    """Return what a request presents as its session, in the X-ss headers or else in cookies."""
    headers = {name: request.headers.get(f"X-{name}", "") for name in ("ss-id", "ss-pid", "ss-opt")}
    source = headers if any(headers.values()) else request.COOKIES
    permanent = "perm" in source.get("ss-opt", "").split(",")
    identifier = source.get("ss-pid" if permanent else "ss-id", "")
    return Held(identifier if _SHAPE.match(identifier) else "", permanent)


def find(held: Held) -> ServiceStackLogin | None:
    """Return the live log-in whose session this is, with its person. One query."""
    if not held.id:
        return None
    rows = ServiceStackLogin.objects.select_related("family__user")
    row = rows.filter(
        session_digest=_digest(held.id), is_permanent=held.is_permanent, session_expires_at__gt=timezone.now()
    ).first()
    return row if row is not None and row.is_good_for(row.family.user) else None


def forget(held: Held) -> None:
    """End a session, and leave the tokens of its log-in."""
    if held.id:
        ServiceStackLogin.objects.filter(session_digest=_digest(held.id)).update(
            session_digest=None, session_expires_at=None
        )


def end(request: HttpRequest, families: set[LoginFamily]) -> None:
    """Log out: end log-ins with their sessions, access tokens and refresh tokens."""
    for family in families:
        with transaction.atomic():
            ServiceStackLogin.objects.filter(family=family).delete()
            if LoginFamily.objects.filter(pk=family.pk, revoked_at=None).update(revoked_at=timezone.now()):
                people.note_logout(request, family.user, family=str(family.id))


def _new_id() -> str:
    """Return 120 random bits as 20 letters and digits, which no client's encoding touches."""
    while True:
        text = base64.b64encode(secrets.token_bytes(15)).decode()
        if _SHAPE.match(text):
            return text


def _digest(identifier: str) -> str:
    # 120 random bits cannot be guessed, so a plain hash is enough and one index look-up finds it.
    return hashlib.sha256(identifier.encode()).hexdigest()
