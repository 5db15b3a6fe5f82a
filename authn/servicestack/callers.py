"""Tells who sends a request: by its Authorization header alone, or else by its session or ss-tok cookie."""

import base64
import binascii
from dataclasses import dataclass, field
from http import HTTPStatus

from django.http import HttpRequest

from authn.errors import BearerExpired, BearerRefused, BearerRevoked
from authn.models import ApplicationToken, LoginFamily, User
from authn.servicestack import cookies, people, sessions
from authn.servicestack.bearers import login_of_refresh
from authn.servicestack.dtos import AuthenticateResponse, ResponseStatus
from authn.servicestack.errors import Refusal, Unreadable, not_authenticated
from authn.strict_json import is_storable


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was recognised. `session_id` is there when a session told."""

    id: str
    name: str
    roles: list[str]
    session_id: str | None = field(default=None, repr=False)

    def as_response(self) -> AuthenticateResponse:
        """Return who this is, as the service says it. Tokens are told after a log-in alone."""
        return AuthenticateResponse(
            user_id=self.id,
            session_id=self.session_id,
            user_name=self.name,
            display_name=self.name,
            roles=self.roles,
            permissions=[],
            response_status=ResponseStatus(),
        )


def caller_of(request: HttpRequest) -> Caller:
    """Return who sends a request. Raises Refusal: for nobody, and for a refused name and password."""
    if request.headers.get("Authorization"):
        return _by_header(request)
    held = sessions.held_by(request)
    if row := sessions.find(held):
        return _person(row.family.user, held.id)
    token = request.COOKIES.get(cookies.TOKEN, "")
    try:
        return _person(people.person_of_bearer(token).user)
    except BearerRefused as error:
        raise not_authenticated(forget=[cookies.TOKEN] if token else ()) from error


def basic_of(request: HttpRequest) -> tuple[str, str] | None:
    """Return name and password of a Basic header, None where there is none that can be read."""
    scheme, value = _authorization(request)
    if scheme != "basic":
        return None
    try:
        raw = base64.b64decode(value.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    name, colon, password = text.partition(":")
    return (name, password) if colon and is_storable(text) else None


def has_bearer(request: HttpRequest) -> bool:
    """Tell whether a request has a Bearer header with something in it."""
    scheme, value = _authorization(request)
    return scheme == "bearer" and bool(value)


def application_named(request: HttpRequest) -> Caller | None:
    """Return the application whose token a Bearer header, or the name of a Basic one, is; None for no token.

    Raises Refusal: 404 for an unknown token, 403 for one that ended.
    """
    scheme, value = _authorization(request)
    if scheme == "basic":
        name, password = basic_of(request) or ("", "")
        value = "" if password else name
    if not value or len(value) > people.MAX_BEARER_LENGTH or not value.isascii():
        return None
    try:
        row = people.application_of(value)
    except (BearerExpired, BearerRevoked) as error:
        raise Refusal(HTTPStatus.FORBIDDEN, "Forbidden", "ApiKey has been cancelled or has expired") from error
    except BearerRefused as error:
        raise Refusal(HTTPStatus.NOT_FOUND, "NotFound", "ApiKey does not exist") from error
    return _application(row) if row else None


def logins_of(request: HttpRequest) -> set[LoginFamily]:
    """Return the live log-ins that anything in a request belongs to: those that a log-out ends."""
    families = {row.family for row in [sessions.find(sessions.held_by(request))] if row}
    scheme, value = _authorization(request)
    for token in (value if scheme == "bearer" else "", request.COOKIES.get(cookies.TOKEN, "")):
        try:
            families.add(people.person_of_bearer(token))
        except BearerRefused:
            continue
    try:
        row, _ = login_of_refresh(request.COOKIES.get(cookies.REFRESH_TOKEN, ""))
    except Unreadable:
        return families
    return families | ({row.family} if row else set())


def _by_header(request: HttpRequest) -> Caller:
    scheme, value = _authorization(request)
    if scheme == "bearer":
        try:
            row = people.application_of(value)
            return _application(row) if row else _person(people.person_of_bearer(value).user)
        except BearerRefused as error:
            raise not_authenticated() from error
    if scheme != "basic":
        raise not_authenticated()
    name, password = basic_of(request) or ("", "")
    if name and not password and (application := application_named(request)):
        return application
    if not name or not password or len(password) > people.MAX_PASSWORD_LENGTH:
        raise not_authenticated()
    user = people.check_password(request, name, password)
    people.note_login(request, user, door="servicestack", provider="basic")
    return _person(user)


def _authorization(request: HttpRequest) -> tuple[str, str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower(), value.strip()


def _person(user: User, session_id: str | None = None) -> Caller:
    return Caller(id=str(user.id), name=user.email, roles=people.roles_of(user), session_id=session_id)


def _application(row: ApplicationToken) -> Caller:
    return Caller(id=str(row.id), name=row.name, roles=["application"])
