"""Log-in with e-mail and password for a pair of tokens, and token refresh.

The access token is valid for one hour, the refresh token for 14 days and one use. Both name their
LoginFamily, which is read at each request: revoking the family revokes them.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

from django.contrib.auth import authenticate
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from authn import audit, lockout, token_refusals
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
from authn.password_hashing import hashing_slot
from authn.principals import Principal, anonymous, principal_for
from authn.web.client_address import client_address
from authn.web.email_addresses import canonical_email
from authn.web.request_id import request_id_of


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The result of a log-in or refresh. The repr omits the tokens."""

    user: User
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


def log_in(*, email: str, password: str, request: HttpRequest) -> TokenPair:
    """Check a password and start a log-in.

    Raises LoginRefused with the same text for an unknown name, a deactivated user and a wrong password,
    TooManyTries while the name is locked, whatever the password, and LoginBusy.
    """
    user = check_password(email=email, password=password, request=request)
    with login_transaction(user, request=request):
        family, pair = _start_family(user)
        by = principal_for(user, request)
        audit.record(audit.Action.LOGIN, audit.Outcome.GRANTED, by=by, target=user.audit_target, family=str(family.id))
        # Updates `last_login`, as a log-in in the browser does.
        user_logged_in.send(sender=User, request=request, user=user)
    return pair


def check_password(*, email: str, password: str, request: HttpRequest) -> User:
    """Return the active user with this e-mail and password. Every log-in method calls this.

    Raises LoginRefused and TooManyTries, audited under the submitted name, and LoginBusy.
    """
    name = canonical_email(email)
    try:
        return _verify(name, password, request)
    except (LoginRefused, TooManyTries) as error:
        _record_refusal(_anonymous_named(email, request), audit.person_named(audit.name_to_keep(email)), error.code)
        raise


def _verify(name: str, password: str, request: HttpRequest) -> User:
    """Count an attempt, check the password and record the result. A locked name does not wait for a hashing slot."""
    lockout.require_unlocked(name, request)
    wait = lockout.LoginWait(name, request)
    while (checked := _verify_once(name, password, request)) is None:
        wait.until_decided()
    attempt, user = checked
    if not isinstance(user, User):
        attempt.failed()
        raise LoginRefused
    attempt.succeeded()
    return user


def _verify_once(
    name: str, password: str, request: HttpRequest
) -> tuple[lockout.LoginAttempt, AbstractBaseUser | None] | None:
    """Count an attempt and check the password, or return None to wait for the outcome of other attempts.

    The hashing slot is released before the wait: two waiting callers would block every log-in of the process. The
    attempt is counted while holding a slot, so that no more attempts are undecided than passwords are checked.
    """
    with hashing_slot():
        attempt = lockout.begin_attempt(name, request)
        if attempt is None:
            return None
        try:
            return attempt, authenticate(request, username=name, password=password)
        except BaseException:
            attempt.cancel()
            raise


@contextmanager
def login_transaction(user: User, *, request: HttpRequest) -> Iterator[None]:
    """Open the transaction that stores a log-in of this user. Every code path that stores one uses it.

    A password change or deactivation since the password check has ended only the log-ins that existed then,
    so the user is read again with a lock and must be unchanged. The check itself may have upgraded the hash;
    `user` then holds the new one. Raises LoginRefused.
    """
    with transaction.atomic():
        unchanged = User.objects.select_for_update().filter(
            pk=user.pk, is_active=True, password=user.password, access_epoch=user.access_epoch
        )
        if unchanged.first() is not None:
            yield
            return
    _record_refusal(_anonymous_named(user.email, request), user.audit_target, LoginRefused.code)
    raise LoginRefused


def refresh(value: str, *, request: HttpRequest) -> TokenPair:
    """Exchange a refresh token for a new pair; the old token is used up.

    Raises RefreshRefused (forged, expired, log-in ended) and RefreshReused (used before; the log-in ends
    for every holder of its tokens).
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
        token_refusals.count(audit.Action.LOGIN_REFRESH, by=by, code=RefreshRefused.code)
        raise RefreshRefused
    return _rotate(family, str(token["jti"]), principal_for(family.user, request))


def authenticate_access_token(value: str) -> LoginFamily:
    """Return the active log-in of an access token, with its user.

    One query. Raises BearerRefused, BearerExpired, BearerRevoked.
    """
    try:
        token = AccessToken(_header_value(value))
    except ExpiredTokenError as error:
        # Expiry is checked after the signature, so the claims can be trusted.
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
    """Return the active log-in of these tokens, with its user, and the time at which the tokens expire.

    The refresh token, if given, must belong to the same log-in; it is not used up. Without it, the time is
    that of the access token. Raises BearerRefused, BearerExpired, BearerRevoked, RefreshRefused.
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


def _record_refusal(by: Principal, target: audit.Target, code: str) -> None:
    audit.record(audit.Action.LOGIN, audit.Outcome.REFUSED, by=by, target=target, code=code)


def _anonymous_named(typed: str, request: HttpRequest) -> Principal:
    """Return an anonymous principal with the submitted name, for the audit of a refused log-in."""
    name = audit.name_to_keep(typed)
    return replace(anonymous(), name=name, address=client_address(request), request_id=request_id_of(request))


def _header_value(value: str) -> Token:
    """Return the text itself: simplejwt's constructors take the encoded token, though annotated as Token."""
    return cast(Token, value)


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
        # Compare and set: of two concurrent requests with the same token, one gets the next pair.
        fresh = LoginFamily.objects.filter(pk=family.pk, current_jti=presented, revoked_at=None)
        if fresh.update(current_jti=jti, expires_at=timezone.now() + RefreshToken.lifetime):
            audit.record(
                audit.Action.LOGIN_REFRESH, audit.Outcome.GRANTED, by=by, target=by.audit_target, family=str(family.id)
            )
            return pair
        LoginFamily.objects.filter(pk=family.pk).update(revoked_at=timezone.now())
        audit.record(
            audit.Action.LOGIN_REUSED,
            audit.Outcome.REFUSED,
            by=by,
            target=by.audit_target,
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
