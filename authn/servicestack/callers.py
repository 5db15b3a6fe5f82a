"""Authenticates a request: by its Authorization header or, without one, its session or ss-tok cookie."""

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass, field

from django.http import HttpRequest

from authn.servicestack import cookies, identity, sessions
from authn.servicestack.dtos import AuthenticateResponse, ResponseStatus
from authn.servicestack.errors import Refusal, Unreadable, not_authenticated
from authn.servicestack.identity import ApplicationToken, LoginFamily, User
from authn.servicestack.login_tokens import login_of_refresh
from authn.web.strict_json import is_storable


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated user or application. `session_id` is set if a session authenticated it."""

    id: str
    name: str
    roles: list[str]
    session_id: str | None = field(default=None, repr=False)

    def as_response(self) -> AuthenticateResponse:
        """Return the caller as a response. Only a log-in returns tokens."""
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
    """Return the caller of a request. Raises Refusal (401) without a valid credential."""
    if request.headers.get("Authorization"):
        return _by_header(request)
    presented = sessions.presented_by(request)
    if row := sessions.find(presented):
        return _user(row.family.user, presented.id)
    token = request.COOKIES.get(cookies.TOKEN, "")
    if family := identity.family_of_bearer(request, token):
        return _user(family.user)
    raise not_authenticated(delete_cookies=[cookies.TOKEN] if token else ())


def basic_of(request: HttpRequest) -> tuple[str, str] | None:
    """Return name and password of a Basic header, None without a valid one."""
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
    return (name, password) if colon and is_storable(password) and identity.is_safe_text(name) else None


def user_of_bearer(request: HttpRequest) -> Caller | None:
    """Return the user whose access token is in the Bearer header, None without a valid one."""
    family = identity.family_of_bearer(request, _bearer(request))
    return _user(family.user) if family else None


def application_of_header(request: HttpRequest) -> Caller | None:
    """Return the application whose token is the Bearer token or the Basic user name, None without one.

    Raises Refusal: 404 for an unknown token, 403 for an expired or revoked one.
    """
    name, password = basic_of(request) or ("", "")
    row = identity.application_of(request, _bearer(request) or ("" if password else name))
    return _application(row) if row else None


def logins_of(request: HttpRequest) -> set[LoginFamily]:
    """Return every live log-in that a request presents a credential of: those that a log-out ends."""
    session = sessions.find(sessions.presented_by(request))
    found = {
        session.family if session else None,
        identity.family_of_bearer(request, _bearer(request)),
    }
    return logins_of_token_cookies(request) | {family for family in found if family}


def logins_of_token_cookies(request: HttpRequest) -> set[LoginFamily]:
    """Return the live log-ins of the token cookies of a request: two if the cookies do not match."""
    found = {identity.family_of_bearer(request, request.COOKIES.get(cookies.TOKEN, ""))}
    with suppress(Unreadable):
        row, _ = login_of_refresh(request.COOKIES.get(cookies.REFRESH_TOKEN, ""))
        found.add(row.family if row else None)
    return {family for family in found if family}


def _by_header(request: HttpRequest) -> Caller:
    try:
        application = application_of_header(request)
    except Refusal as error:
        raise not_authenticated() from error
    if caller := application or user_of_bearer(request):
        return caller
    name, password = basic_of(request) or ("", "")
    if not name or not password or len(password) > identity.MAX_PASSWORD_LENGTH:
        raise not_authenticated()
    user = identity.check_password(request, name, password)
    identity.record_login(request, user, door="servicestack", provider="basic")
    return _user(user)


def _bearer(request: HttpRequest) -> str:
    scheme, value = _authorization(request)
    return value if scheme == "bearer" else ""


def _authorization(request: HttpRequest) -> tuple[str, str]:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower(), value.strip()


def _user(user: User, session_id: str | None = None) -> Caller:
    return Caller(id=str(user.id), name=user.email, roles=identity.roles_of(user), session_id=session_id)


def _application(row: ApplicationToken) -> Caller:
    return Caller(id=str(row.id), name=row.name, roles=["application"])
