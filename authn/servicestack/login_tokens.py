"""The tokens of a log-in here: an access token as any other door's, and a refresh token that stays.

The answer of GetAccessToken has no field for a next refresh token, so this one is not rotated. In
return it is good for nothing else, and ends with log-out, a password change or the switching off of
its person (design section 5).
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from authn.models import LoginFamily, ServiceStackLogin, User
from authn.servicestack import people
from authn.servicestack.errors import Unreadable


class StayingRefreshToken(Token):
    """A refresh token of this service. Its type keeps it from being taken for any other token."""

    token_type = "servicestack_refresh"  # noqa: S105  # a name
    lifetime = RefreshToken.lifetime


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and a refresh token, kept out of the repr."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


class Expired(Unreadable):
    """The token was good once and its time is over."""


def start(user: User, *, until: datetime) -> tuple[LoginFamily, TokenPair]:
    """Store a new line of tokens, and return it with its first access token and its one refresh token.

    It is kept until `until`, or longer if the refresh token lives longer.
    """
    refresh = StayingRefreshToken()
    refresh_end = timezone.now() + StayingRefreshToken.lifetime
    family = LoginFamily(user=user, current_jti=str(refresh["jti"]), expires_at=max(until, refresh_end))
    family.save(force_insert=True)
    refresh["sub"], refresh["family"] = str(user.id), str(family.id)
    return family, TokenPair(access_token(family), str(refresh))


def access_token(family: LoginFamily) -> str:
    """Return a new access token of a log-in. What it says of its person is for clients to show."""
    token = AccessToken()
    token["sub"], token["family"] = str(family.user_id), str(family.id)
    token["preferred_username"], token["roles"] = family.user.email, people.roles_of(family.user)
    return str(token)


def login_of_refresh(value: str) -> tuple[ServiceStackLogin | None, str]:
    """Return the live log-in that a refresh token belongs to, None when it ended, and its person's id.

    Raises Unreadable for what is no refresh token of this service, Expired for one that was.
    """
    if len(value) > people.MAX_BEARER_LENGTH or not value.isascii():
        raise Unreadable("Token is invalid")
    wire: Any = value  # simplejwt wants text although its annotation says Token.
    try:
        token = StayingRefreshToken(wire)
    except ExpiredTokenError as error:
        raise Expired("Token has expired") from error
    except TokenError as error:
        raise Unreadable("Token is invalid") from error
    return _live(token), str(token.get("sub"))


def _live(token: Token) -> ServiceStackLogin | None:
    try:
        identifier = uuid.UUID(str(token.get("family")))
    except ValueError:
        return None
    row = ServiceStackLogin.objects.select_related("family__user").filter(pk=identifier).first()
    if row is None or row.family.current_jti != token["jti"] or not row.is_good_for(row.family.user):
        return None
    return row
