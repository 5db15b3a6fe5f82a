"""Logs people in: e-mail and password for a pair of tokens, and one pair for the next.

The access token lives an hour, the refresh token 14 days and one use. Both name their
LoginFamily, which is looked up at each request: ending it ends them.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from authn import audit, lockout, token_refusals
from authn.email_addresses import canonical_email
from authn.errors import (
    BearerExpired,
    BearerRefused,
    BearerRevoked,
    LoginRefused,
    RefreshRefused,
    RefreshReused,
    TooManyTries,
)
from authn.models import LoginFamily, User
from authn.password_hashing import hashing_place
from authn.principals import Principal, anonymous, principal_for
from authn.web.client_address import client_address
from authn.web.request_id import request_id_of


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a log-in hands out. The tokens are kept out of the repr."""

    user: User
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def log_in(*, email: str, password: str, request: HttpRequest) -> TokenPair:
    """Check a password and start a log-in.

    Raises LoginRefused with the same words for an unknown, a switched-off and a mistaken person,
    and TooManyTries while the name is locked, whatever the password.
    """
    user = check_password(email=email, password=password, request=request)
    with login_transaction(user, request=request):
        family, pair = _start_family(user)
        audit.record(audit.Action.LOGIN, audit.Outcome.GRANTED, by=principal_for(user, request), family=str(family.id))
        # Notes the time, as a log-in in the browser does.
        user_logged_in.send(sender=User, request=request, user=user)
    return pair


def check_password(*, email: str, password: str, request: HttpRequest) -> User:
    """Return the active person whose e-mail and password these are; every door asks here.

    Raises LoginRefused, TooManyTries, each of which is audited under the name that was tried; LoginBusy.
    """
    name = canonical_email(email)
    try:
        return _verify(name, password, request)
    except (LoginRefused, TooManyTries) as error:
        audit.record(audit.Action.LOGIN, audit.Outcome.REFUSED, by=_anonymous_named(email, request), code=error.code)
        raise


def _verify(name: str, password: str, request: HttpRequest) -> User:
    """Take a try, judge the password, and say how the try ended. A locked name waits for no place to hash."""
    lockout.require_unlocked(name, request)
    waiting = lockout.LoginWait(name, request)
    while (judged := _verify_once(name, password, request)) is None:
        waiting.for_an_outcome()
    attempt, user = judged
    if not isinstance(user, User):
        attempt.failed()
        raise LoginRefused
    attempt.succeeded()
    return user


def _verify_once(
    name: str, password: str, request: HttpRequest
) -> tuple[lockout.LoginAttempt, AbstractBaseUser | None] | None:
    """Take a try and judge the password, or return None if it must wait for the outcome of other tries.

    It gives its place back before it waits: two such callers would stop every log-in of the process. The try is taken
    with a place, so that no more tries are under way than passwords are judged.
    """
    with hashing_place():
        attempt = lockout.begin_attempt(name, request)
        if attempt is None:
            return None
        try:
            return attempt, authenticate(request, username=name, password=password)
        except BaseException:
            attempt.give_back()
            raise


@contextmanager
def login_transaction(user: User, *, request: HttpRequest) -> Iterator[None]:
    """Open the transaction in which a log-in of this person is stored; every door that leaves one asks here.

    A change of the password or a switch-off that came after the check has ended the log-ins that it
    saw, not this one, so the person is looked at again, locked, and must still be as it was checked.
    The check itself may have renewed the hash; `user` holds the new one then. Raises LoginRefused.
    """
    with transaction.atomic():
        unchanged = User.objects.select_for_update().filter(
            pk=user.pk, is_active=True, password=user.password, access_epoch=user.access_epoch
        )
        if unchanged.first() is not None:
            yield
            return
    audit.record(
        audit.Action.LOGIN, audit.Outcome.REFUSED, by=_anonymous_named(user.email, request), code=LoginRefused.code
    )
    raise LoginRefused


def refresh(value: str, *, request: HttpRequest) -> TokenPair:
    """Trade a refresh token for a new pair; the old one is spent.

    Raises RefreshRefused (forged, expired, log-in ended) and RefreshReused (spent before; the
    log-in is ended for whoever holds its tokens).
    """
    try:
        token = RefreshToken(_header_value(value))
    except TokenError as error:
        raise RefreshRefused from error
    family = _family_of(token)
    if family is None:
        raise RefreshRefused
    if family.revoked_at is not None or not family.user.is_active:
        by = principal_for(family.user, request)
        token_refusals.note(audit.Action.LOGIN_REFRESH, by=by, code=RefreshRefused.code)
        raise RefreshRefused
    return _rotate(family, str(token["jti"]), principal_for(family.user, request))


def authenticate_access_token(value: str) -> LoginFamily:
    """Return the live log-in, with its person, that an access token belongs to.

    One query. Raises BearerRefused, BearerExpired, BearerRevoked.
    """
    try:
        token = AccessToken(_header_value(value))
    except ExpiredTokenError as error:
        # The signature was good, or it would not be called expired: the name in it can be believed.
        expired = AccessToken(_header_value(value), verify=False)
        raise BearerExpired(_holder(str(expired.get("sub")))) from error
    except TokenError as error:
        raise BearerRefused from error
    family = _family_of(token)
    if family is None:
        raise BearerRefused
    if not family.user.is_active:
        raise BearerRefused(_holder(str(family.user_id), family.user.email))
    if family.revoked_at is not None:
        raise BearerRevoked(_holder(str(family.user_id), family.user.email))
    return family


def login_of_pair(access_token: str, refresh_token: str = "") -> tuple[LoginFamily, datetime]:
    """Return the live log-in of these tokens, with its person, and the moment until which they prove it.

    The refresh token, if there is one, must be of the same log-in; it is not spent. Without it the proof
    ends with the access token. Raises BearerRefused, BearerExpired, BearerRevoked, RefreshRefused.
    """
    family = authenticate_access_token(access_token)
    if not refresh_token:
        claims = AccessToken(_header_value(access_token), verify=False)
        return family, datetime.fromtimestamp(claims["exp"], UTC)
    try:
        token = RefreshToken(_header_value(refresh_token))
    except TokenError as error:
        raise RefreshRefused from error
    if _family_of(token) != family or str(token["jti"]) != family.current_jti:
        raise RefreshRefused
    return family, family.expires_at


def _anonymous_named(typed: str, request: HttpRequest) -> Principal:
    """Return the actor of a refused log-in: somebody unknown, under the name that was tried."""
    name = audit.name_to_keep(typed)
    return replace(anonymous(), name=name, address=client_address(request), request_id=request_id_of(request))


def _header_value(value: str) -> Any:
    """Pass a token on as text, which simplejwt wants although its annotation says Token."""
    return value


def _holder(user_id: str, name: str = "") -> Principal:
    return Principal(kind="user", id=user_id, name=name, role=None)


def _start_family(user: User) -> tuple[LoginFamily, TokenPair]:
    family = LoginFamily(user=user)
    pair, jti = _pair(family)
    family.current_jti = jti
    family.expires_at = timezone.now() + RefreshToken.lifetime
    family.save(force_insert=True)
    return family, pair


def _rotate(family: LoginFamily, presented: str, by: Principal) -> TokenPair:
    pair, jti = _pair(family)
    with transaction.atomic():
        # Compare and set: of two that present the same token at once, one gets the next pair.
        fresh = LoginFamily.objects.filter(pk=family.pk, current_jti=presented, revoked_at=None)
        if fresh.update(current_jti=jti, expires_at=timezone.now() + RefreshToken.lifetime):
            audit.record(audit.Action.LOGIN_REFRESH, audit.Outcome.GRANTED, by=by, family=str(family.id))
            return pair
        LoginFamily.objects.filter(pk=family.pk).update(revoked_at=timezone.now())
        audit.record(
            audit.Action.LOGIN_REUSED,
            audit.Outcome.REFUSED,
            by=by,
            code=RefreshReused.code,
            family=str(family.id),
        )
    raise RefreshReused


def _pair(family: LoginFamily) -> tuple[TokenPair, str]:
    refresh_token, access_token = RefreshToken(), AccessToken()
    for token in (refresh_token, access_token):
        token["sub"] = str(family.user_id)
        token["family"] = str(family.id)
    pair = TokenPair(user=family.user, access_token=str(access_token), refresh_token=str(refresh_token))
    return pair, str(refresh_token["jti"])


def _family_of(token: Token) -> LoginFamily | None:
    try:
        identifier = uuid.UUID(str(token.get("family")))
    except ValueError:
        return None
    return LoginFamily.objects.select_related("user").filter(pk=identifier).first()
