"""All that this service knows of Frontdesk's people: passwords, tries, bearers and the audit.

To be written anew by whoever takes the package elsewhere, as are the queries of `sessions` and
`bearers`. It turns Frontdesk's errors into the refusals of this service.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in
from django.db import Error
from django.http import HttpRequest

from authn import audit, login, token_refusals, tokens
from authn.audit_actions import Action, Outcome
from authn.authentication import MAX_BEARER_LENGTH as MAX_BEARER_LENGTH
from authn.database.failures import is_database_failure
from authn.email_addresses import canonical_email
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
from authn.web.request_id import request_id_of
from authn.web.safe_text import is_safe_text as is_safe_text

MAX_NAME_LENGTH, MAX_PASSWORD_LENGTH = 254, 1024
# What `unavailable` may know.
TROUBLE = (AuditUnavailable, Error)


def check_password(request: HttpRequest, name: str, password: str) -> User:
    """Return the active person whose name and password these are, as at every other door.

    Raises Refusal: 429 while the name or the address has tried too often; 503 when too many passwords
    wait to be checked; 401 in the same words for an unknown person and a wrong password; 401 in
    others for a right password of a switched-off person.
    """
    bound_tries(request)
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
        if _is_switched_off(name, password):
            message = "This account has been locked"
            raise Refusal(HTTPStatus.UNAUTHORIZED, "AuthenticationException", message) from error
        raise _invalid() from error


@contextmanager
def starting(request: HttpRequest, user: User) -> Iterator[None]:
    """Open the transaction in which a log-in is stored.

    Raises Refusal, as for a wrong password, when the person was changed since the password was checked.
    """
    try:
        with login.login_transaction(user, request=request):
            yield
    except LoginRefused as error:
        raise _invalid() from error


def bound_tries(request: HttpRequest) -> None:
    """Count a try of this address. Raises Refusal (429) when there were too many, at all doors together."""
    _ask(LoginThrottle(), request)


@contextmanager
def counting_refusals(request: HttpRequest) -> Iterator[None]:
    """Count what is refused in here as a try of this address, and nothing else. Raises Refusal as `bound_tries`."""
    _ask(RefreshThrottle(), request)
    try:
        yield
    except Refusal:
        count_refused(request)
        raise


def note_login(request: HttpRequest, user: User, **details: Any) -> None:
    """Record a log-in, and note its time."""
    audit.record(Action.LOGIN, Outcome.GRANTED, by=principal_for(user, request), **details)
    user_logged_in.send(sender=User, request=request, user=user)


def person_with(identifier: str) -> User | None:
    """Return the person of an id, None for nobody."""
    return User.objects.filter(pk=identifier).first()


def note_refresh(request: HttpRequest, user: User, **details: Any) -> None:
    """Record that a refresh token was taken."""
    audit.record(Action.LOGIN_REFRESH, Outcome.GRANTED, by=principal_for(user, request), **details)


def note_refused_refresh(request: HttpRequest, user: User, *, code: str) -> None:
    """Count that a refresh token was refused to a person who had it once."""
    token_refusals.note(Action.LOGIN_REFRESH, by=principal_for(user, request), code=code)


def note_logout(request: HttpRequest, user: User, **details: Any) -> None:
    """Record a log-out."""
    audit.record(Action.LOGOUT, Outcome.GRANTED, by=principal_for(user, request), **details)


def family_of_bearer(request: HttpRequest, value: str) -> LoginFamily | None:
    """Return the live log-in that an access token belongs to, with its person; None for anything else."""
    if not value or len(value) > MAX_BEARER_LENGTH or not value.isascii():
        return None
    try:
        return login.authenticate_access_token(value)
    except BearerRefused as error:
        _note_refused_bearer(request, error)
        return None


def application_of(request: HttpRequest, value: str) -> ApplicationToken | None:
    """Return the row of an application token, None for any other text.

    Raises Refusal: 404 for an unknown token, 403 for one that ended.
    """
    if len(value) > MAX_BEARER_LENGTH or not tokens.is_application_token(value):
        return None
    try:
        return tokens.find(value)
    except (BearerExpired, BearerRevoked) as error:
        _note_refused_bearer(request, error)
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden", "ApiKey has been cancelled or has expired") from error
    except BearerRefused as error:
        raise Refusal(HTTPStatus.NOT_FOUND, "NotFound", "ApiKey does not exist") from error


def unavailable(error: Exception) -> Refusal | None:
    """Return the refusal of any request while the audit or the database does not work; None for a bug."""
    if isinstance(error, AuditUnavailable):
        return _unavailable(error.code, str(error), error.retry_after)
    if not is_database_failure(error):
        return None
    message = "The desk's database cannot be reached, is busy, or takes no writes."
    return _unavailable("ServiceUnavailable", message, 5)


def roles_of(user: User) -> list[str]:
    """Return a person's roles as this service tells them: a member has none beyond being a person."""
    return [user.role] if user.is_owner else []


def _ask(throttle: LoginThrottle, request: HttpRequest) -> None:
    if not throttle.allow_request(request, None):
        raise _too_many("Too many log-ins from this address.", int(throttle.wait() or 1))


def _is_switched_off(name: str, password: str) -> bool:
    """Tell whether this is the right password of a switched-off person; takes as long for anybody else."""
    user = User.objects.filter(email=canonical_email(name)).first()
    if user is None or user.is_active:
        make_password(password)
        return False
    return user.check_password(password)


def _note_refused_bearer(request: HttpRequest, error: BearerRefused) -> None:
    """Count whose bearer was refused, where it proved that much, as the rest of the desk does."""
    if error.holder is None:
        return
    by = replace(error.holder, address=client_address(request), request_id=request_id_of(request))
    token_refusals.note(Action.REQUEST, by=by, code=error.code, method=request.method, door="servicestack")


def _unavailable(code: str, message: str, retry_after: int) -> Refusal:
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, code, message, headers={"Retry-After": str(retry_after)})


def _invalid() -> Refusal:
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Invalid Username or Password")


def _too_many(message: str, seconds: int) -> Refusal:
    headers = {"Retry-After": str(max(1, seconds))}
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", message, headers=headers)
