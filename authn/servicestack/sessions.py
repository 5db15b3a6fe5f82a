"""Sessions: the rows behind the ss-id and ss-pid cookies, created by a log-in.

A client holds two ids, a temporary one in ss-id and a permanent one in ss-pid, and ss-opt says which
of the two is its session. Each log-in generates new ids; an id from a client is never adopted.
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
from authn.servicestack import identity, login_tokens

TEMPORARY_LIFE, PERMANENT_LIFE = timedelta(days=14), timedelta(days=28)
_SHAPE = re.compile(r"[A-Za-z0-9]{20}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class PresentedSession:
    """The session id that a request presents, "" for none, and which of its two ids that is."""

    id: str = field(repr=False)
    is_permanent: bool


@dataclass(frozen=True, slots=True)
class LogIn:
    """The ids and tokens that a log-in issues. Without a session only the tokens are used."""

    user: User
    temporary_id: str = field(repr=False)
    permanent_id: str = field(repr=False)
    is_permanent: bool
    has_session: bool
    tokens: login_tokens.TokenPair

    @property
    def session_id(self) -> str | None:
        """Return the id of the session, None if the client asked for tokens only."""
        used = self.permanent_id if self.is_permanent else self.temporary_id
        return used if self.has_session else None


def start(request: HttpRequest, user: User, *, provider: str, remember: bool | None, tokens_only: bool) -> LogIn:
    """Create a log-in with a pair of tokens and, unless `tokens_only`, a session.

    The session that the request presents ends, which prevents session fixation. Raises Refusal if the
    user has changed since the password was checked.
    """
    presented = presented_by(request)
    permanent = remember if remember is not None else presented.is_permanent
    temporary_id, permanent_id = _new_id(), _new_id()
    now = timezone.now()
    session_end = now + (PERMANENT_LIFE if permanent else TEMPORARY_LIFE)
    with identity.login_transaction(request, user):
        discard(presented)
        family, pair = login_tokens.start(user, until=session_end)
        ServiceStackLogin.objects.create(
            family=family,
            password_mark=user.get_session_auth_hash(),
            session_digest=None if tokens_only else _digest(permanent_id if permanent else temporary_id),
            is_permanent=permanent,
            session_expires_at=None if tokens_only else session_end,
        )
        identity.record_login(request, user, family=str(family.id), door="servicestack", provider=provider)
    return LogIn(
        user=user,
        temporary_id=temporary_id,
        permanent_id=permanent_id,
        is_permanent=permanent,
        has_session=not tokens_only,
        tokens=pair,
    )


def presented_by(request: HttpRequest) -> PresentedSession:
    """Return the session that a request presents, in X-ss headers or else in cookies."""
    headers = {name: request.headers.get(f"X-{name}", "") for name in ("ss-id", "ss-pid", "ss-opt")}
    source = headers if any(headers.values()) else request.COOKIES
    permanent = "perm" in source.get("ss-opt", "").split(",")
    identifier = source.get("ss-pid" if permanent else "ss-id", "")
    return PresentedSession(identifier if _SHAPE.match(identifier) else "", permanent)


def find(presented: PresentedSession) -> ServiceStackLogin | None:
    """Return the live log-in of a session, with its user, in one query."""
    if not presented.id:
        return None
    rows = ServiceStackLogin.objects.select_related("family__user")
    row = rows.filter(
        session_digest=_digest(presented.id),
        is_permanent=presented.is_permanent,
        session_expires_at__gt=timezone.now(),
    ).first()
    return row if row is not None and row.is_good_for(row.family.user) else None


def discard(presented: PresentedSession) -> None:
    """End a session, but not the tokens of its log-in."""
    if presented.id:
        ServiceStackLogin.objects.filter(session_digest=_digest(presented.id)).update(
            session_digest=None, session_expires_at=None
        )


def end(request: HttpRequest, families: set[LoginFamily]) -> None:
    """End log-ins with their sessions, access tokens and refresh tokens."""
    for family in families:
        with transaction.atomic():
            ServiceStackLogin.objects.filter(family=family).delete()
            if LoginFamily.objects.filter(pk=family.pk, revoked_at=None).update(revoked_at=timezone.now()):
                identity.record_logout(request, family.user, family=str(family.id))


def _new_id() -> str:
    """Return 120 random bits as 20 letters and digits, which need no escaping anywhere."""
    while True:
        text = base64.b64encode(secrets.token_bytes(15)).decode()
        if _SHAPE.match(text):
            return text


def _digest(identifier: str) -> str:
    # 120 random bits cannot be guessed, so an unsalted hash is enough, and an index finds it.
    return hashlib.sha256(identifier.encode()).hexdigest()
