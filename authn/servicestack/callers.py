"""Tells who sends a request: by its Authorization header alone, or else by its session or ss-tok cookie."""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass, field

from django.http import HttpRequest

from authn.servicestack import cookies, people, sessions
from authn.servicestack.bearers import login_of_refresh
from authn.servicestack.dtos import AuthenticateResponse, ResponseStatus
from authn.servicestack.errors import Refusal, Unreadable, not_authenticated
from authn.servicestack.people import ApplicationToken, LoginFamily, User
from authn.web.strict_json import is_storable


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
    if family := people.family_of_bearer(request, token):
        return _person(family.user)
    raise not_authenticated(forget=[cookies.TOKEN] if token else ())


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
    return (name, password) if colon and is_storable(password) and people.is_safe_text(name) else None


def person_named(request: HttpRequest) -> Caller | None:
    """Return the person whose access token a Bearer header is, None for anything else."""
    family = people.family_of_bearer(request, _bearer(request))
    return _person(family.user) if family else None


def application_named(request: HttpRequest) -> Caller | None:
    """Return the application whose token a Bearer header, or the name of a Basic one, is; None for no token.

    Raises Refusal: 404 for an unknown token, 403 for one that ended.
    """
    name, password = basic_of(request) or ("", "")
    row = people.application_of(request, _bearer(request) or ("" if password else name))
    return _application(row) if row else None


def logins_of(request: HttpRequest) -> set[LoginFamily]:
    """Return the live log-ins that anything in a request belongs to: those that a log-out ends."""
    session = sessions.find(sessions.held_by(request))
    found = {
        session.family if session else None,
        people.family_of_bearer(request, _bearer(request)),
    }
    return logins_of_token_cookies(request) | {family for family in found if family}


def logins_of_token_cookies(request: HttpRequest) -> set[LoginFamily]:
    """Return the live log-ins that the token cookies of a request belong to: mostly one, or none."""
    found = {people.family_of_bearer(request, request.COOKIES.get(cookies.TOKEN, ""))}
    with suppress(Unreadable):
        row, _ = login_of_refresh(request.COOKIES.get(cookies.REFRESH_TOKEN, ""))
        found.add(row.family if row else None)
    return {family for family in found if family}


def _by_header(request: HttpRequest) -> Caller:
    try:
        application = application_named(request)
    except Refusal as error:
        raise not_authenticated() from error
    if named := application or person_named(request):
        return named
    name, password = basic_of(request) or ("", "")
    if not name or not password or len(password) > people.MAX_PASSWORD_LENGTH:
        raise not_authenticated()
    user = people.check_password(request, name, password)
    people.note_login(request, user, door="servicestack", provider="basic")
    return _person(user)


def _bearer(request: HttpRequest) -> str:
    scheme, value = _authorization(request)
    return value if scheme == "bearer" else ""


def _authorization(request: HttpRequest) -> tuple[str, str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower(), value.strip()


def _person(user: User, session_id: str | None = None) -> Caller:
    return Caller(id=str(user.id), name=user.email, roles=people.roles_of(user), session_id=session_id)


def _application(row: ApplicationToken) -> Caller:
    return Caller(id=str(row.id), name=row.name, roles=["application"])
