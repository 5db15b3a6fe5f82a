"""The tokens of a log-in: an ordinary access token of Frontdesk, and a refresh token that is not rotated.

GetAccessTokenResponse has no member for a next refresh token. In return, this one is valid at this
service only, and ends with a log-out, a password change or the deactivation of its user.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from authn.models import LoginFamily, ServiceStackLogin, User
from authn.servicestack import identity
from authn.servicestack.errors import Unreadable


class ReusableRefreshToken(Token):
    """A refresh token of this service. Its token type keeps every other endpoint from accepting it."""

    token_type = "servicestack_refresh"  # noqa: S105  # a name
    lifetime = RefreshToken.lifetime


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and a refresh token. The repr shows neither."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


class Expired(Unreadable):
    """The token was valid and has expired."""


def start(user: User, *, until: datetime) -> tuple[LoginFamily, TokenPair]:
    """Store a new token family and return it with its first access token and its refresh token.

    The row is kept until `until`, or until the refresh token expires if that is later.
    """
    refresh = ReusableRefreshToken()
    refresh_end = timezone.now() + ReusableRefreshToken.lifetime
    family = LoginFamily(user=user, current_jti=str(refresh["jti"]), expires_at=max(until, refresh_end))
    family.save(force_insert=True)
    refresh["sub"], refresh["family"] = str(user.id), str(family.id)
    return family, TokenPair(access_token(family), str(refresh))


def access_token(family: LoginFamily) -> str:
    """Return a new access token of a log-in. Its name and roles are for display by clients only."""
    token = AccessToken()
    token["sub"], token["family"] = str(family.user_id), str(family.id)
    token["preferred_username"], token["roles"] = family.user.email, identity.roles_of(family.user)
    return str(token)


def login_of_refresh(value: str) -> tuple[ServiceStackLogin | None, str]:
    """Return the live log-in of a refresh token, None if it has ended, and the id of its user.

    Raises Expired for an expired token, Unreadable for anything that is not a token of this service.
    """
    if len(value) > identity.MAX_BEARER_LENGTH or not value.isascii():
        raise Unreadable("Token is invalid")
    wire: Any = value  # simplejwt takes text, although its annotation says Token.
    try:
        token = ReusableRefreshToken(wire)
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
