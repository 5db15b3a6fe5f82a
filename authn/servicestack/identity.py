"""Adapter to Frontdesk's identity: users, passwords, rate limits, bearer tokens and audit.

Translates Frontdesk's errors into refusals of this service. To move this package to another project,
replace this module and the queries of `sessions` and `login_tokens`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus

from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in
from django.db import Error
from django.http import HttpRequest

from authn import audit, login, token_refusals, tokens
from authn.audit_actions import Action, Outcome
from authn.authentication import MAX_BEARER_LENGTH as MAX_BEARER_LENGTH
from authn.database.failures import is_database_failure
from authn.errors import (
    AuditUnavailable,
    BearerExpired,
    BearerRefused,
    BearerRevoked,
    LoginBusy,
    LoginRefused,
    TooManyTries,
)
from authn.lockout import LoginThrottle, RefreshThrottle, count_refused
from authn.models import ApplicationToken as ApplicationToken
from authn.models import LoginFamily as LoginFamily
from authn.models import User as User
from authn.principals import principal_for
from authn.servicestack.errors import Refusal
from authn.web.client_address import client_address
from authn.web.email_addresses import canonical_email
from authn.web.request_id import request_id_of
from authn.web.safe_text import is_safe_text as is_safe_text

MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH = 254, 1024
# Exceptions that `unavailable` can turn into a refusal.
UNAVAILABLE_ERRORS = (AuditUnavailable, Error)


def check_password(request: HttpRequest, name: str, password: str) -> User:
    """Return the active user with this name and password, under the same rules as every other log-in.

    Raises Refusal: 429 for too many attempts with this name or from this address; 503 while too many
    passwords wait to be checked; 401 with one message for an unknown user and a wrong password; 401
    with another for the right password of a deactivated user.
    """
    limit_logins(request)
    try:
        return _checked(request, name, password)
    except LoginBusy as error:
        headers = {"Retry-After": str(error.retry_after)}
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceUnavailable", str(error), headers=headers) from error


def _checked(request: HttpRequest, name: str, password: str) -> User:
    try:
        return login.check_password(email=name, password=password, request=request)
    except TooManyTries as error:
        raise _too_many(str(error), error.retry_after) from error
    except LoginRefused as error:
        if _is_deactivated(name, password):
            message = "This account has been locked"
            raise Refusal(HTTPStatus.UNAUTHORIZED, "AuthenticationException", message) from error
        raise _invalid() from error


@contextmanager
def login_transaction(request: HttpRequest, user: User) -> Iterator[None]:
    """Open the transaction in which a log-in is stored.

    Raises Refusal, as for a wrong password, if the user has changed since the password was checked.
    """
    try:
        with login.login_transaction(user, request=request):
            yield
    except LoginRefused as error:
        raise _invalid() from error


def limit_logins(request: HttpRequest) -> None:
    """Count a log-in attempt of this address. Raises Refusal (429) above the limit, which all endpoints share."""
    _apply(LoginThrottle(), request)


@contextmanager
def limit_refused_refreshes(request: HttpRequest) -> Iterator[None]:
    """Count a refusal inside the block as a log-in attempt of this address. Raises Refusal as `limit_logins`."""
    _apply(RefreshThrottle(), request)
    try:
        yield
    except Refusal:
        count_refused(request)
        raise


def record_login(request: HttpRequest, user: User, **details: str) -> None:
    """Audit a log-in and update the user's last log-in."""
    audit.record(
        Action.LOGIN,
        Outcome.GRANTED,
        by=principal_for(user, request),
        target=user.audit_target,
        changes=None,
        attempt_id=None,
        **details,
    )
    user_logged_in.send(sender=User, request=request, user=user)


def user_with_id(identifier: str) -> User | None:
    """Return the user with this id, or None."""
    return User.objects.filter(pk=identifier).first()


def record_refresh(request: HttpRequest, user: User, **details: str) -> None:
    """Audit the use of a refresh token."""
    audit.record(
        Action.LOGIN_REFRESH,
        Outcome.GRANTED,
        by=principal_for(user, request),
        target=user.audit_target,
        changes=None,
        attempt_id=None,
        **details,
    )


def count_refused_refresh(request: HttpRequest, user: User, *, code: str) -> None:
    """Count the refusal of a refresh token that once was this user's."""
    token_refusals.count(Action.LOGIN_REFRESH, by=principal_for(user, request), code=code)


def record_logout(request: HttpRequest, user: User, **details: str) -> None:
    """Audit a log-out."""
    audit.record(
        Action.LOGOUT,
        Outcome.GRANTED,
        by=principal_for(user, request),
        target=user.audit_target,
        changes=None,
        attempt_id=None,
        **details,
    )


def family_of_bearer(request: HttpRequest, value: str) -> LoginFamily | None:
    """Return the live log-in of an access token, with its user; None for anything else."""
    if not value or len(value) > MAX_BEARER_LENGTH or not value.isascii():
        return None
    try:
        return login.authenticate_access_token(value)
    except BearerRefused as error:
        _count_refused_bearer(request, error)
        return None


def application_of(request: HttpRequest, value: str) -> ApplicationToken | None:
    """Return the row of an application token, None for any other text.

    Raises Refusal: 404 for an unknown token, 403 for an expired or revoked one.
    """
    if len(value) > MAX_BEARER_LENGTH or not tokens.is_application_token(value):
        return None
    try:
        return tokens.find(value)
    except (BearerExpired, BearerRevoked) as error:
        _count_refused_bearer(request, error)
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden", "ApiKey has been cancelled or has expired") from error
    except BearerRefused as error:
        raise Refusal(HTTPStatus.NOT_FOUND, "NotFound", "ApiKey does not exist") from error


def unavailable(error: Exception) -> Refusal | None:
    """Return the 503 for a failing audit or database, None for any other exception."""
    if isinstance(error, AuditUnavailable):
        return _unavailable(error.code, str(error), error.retry_after)
    if not is_database_failure(error):
        return None
    return _unavailable("ServiceUnavailable", "The database is unreachable, busy or read-only. Try again later.", 5)


def roles_of(user: User) -> list[str]:
    """Return a user's roles in this service: none for a member."""
    return [user.role] if user.is_owner else []


def _apply(throttle: LoginThrottle, request: HttpRequest) -> None:
    if not throttle.allow_request(request, None):
        raise _too_many("Too many log-ins from this address. Try again later.", int(throttle.wait() or 1))


def _is_deactivated(name: str, password: str) -> bool:
    """Return True if this is the right password of a deactivated user. Hashes once in every case."""
    user = User.objects.filter(email=canonical_email(name)).first()
    if user is None or user.is_active:
        make_password(password)
        return False
    return user.check_password(password)


def _count_refused_bearer(request: HttpRequest, error: BearerRefused) -> None:
    """Count a refused bearer token for its holder, if the token proved who that is."""
    if error.holder is None:
        return
    by = replace(error.holder, address=client_address(request), request_id=request_id_of(request))
    token_refusals.count(Action.REQUEST, by=by, code=error.code, method=request.method, door="servicestack")


def _unavailable(code: str, message: str, retry_after: int) -> Refusal:
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, code, message, headers={"Retry-After": str(retry_after)})


def _invalid() -> Refusal:
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Invalid Username or Password")


def _too_many(message: str, seconds: int) -> Refusal:
    headers = {"Retry-After": str(max(1, seconds))}
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", message, headers=headers)
