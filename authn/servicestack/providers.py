"""The ways to log in, each a function from a wish to an answer. The first is the default one.

credentials   name and password in the message; `login` is another name for it
basic         name and password in the Authorization header
jwt           an access token that was got before, in the header
apikey        an application token, in the header

`logout` stands in `authenticating`, since it logs nobody in.
"""

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack import cookies, people, sessions
from authn.servicestack.callers import application_named, basic_of, logins_of_token_cookies, person_named
from authn.servicestack.dtos import Authenticate, AuthenticateResponse, ResponseError, ResponseStatus
from authn.servicestack.errors import Refusal, not_authenticated
from authn.servicestack.replies import Reply

Provider = Callable[[HttpRequest, Authenticate], Reply]

LOGOUT = "logout"
_ALIASES = {"login": "credentials"}


def canonical(name: str) -> str:
    """Return the one spelling of a provider's name. Case does not count."""
    return _ALIASES.get(name.lower(), name.lower())


def unknown_provider(name: str) -> Refusal:
    """Return the refusal of a provider that is not offered, quoting no markup of its name."""
    safe = re.sub(r"[^\w.\- ]", "", name, flags=re.ASCII)[:50]
    message = f"No configuration was added for OAuth provider '{safe}'"
    return Refusal(HTTPStatus.NOT_FOUND, "NotFound", message)


def by_credentials(request: HttpRequest, wish: Authenticate) -> Reply:
    """Log in with the name and password of the message."""
    fields = [*_missing("UserName", "User Name", wish.user_name), *_missing("Password", "Password", wish.password)]
    fields = fields or [
        *_too_long("UserName", "User Name", wish.user_name, people.MAX_NAME_LENGTH),
        *_too_long("Password", "Password", wish.password, people.MAX_PASSWORD_LENGTH),
        *_unsafe("UserName", "User Name", wish.user_name),
    ]
    if fields:
        lines = [f"\n -- {each.field_name}: {each.message}" for each in fields]
        message = "Validation failed: " + "".join(lines)
        raise Refusal(HTTPStatus.BAD_REQUEST, "ValidationException", message, fields=fields)
    return _log_in(request, wish, str(wish.user_name), str(wish.password), provider="credentials")


def asks_by_header(scheme: str, name: str) -> Callable[[Provider], Provider]:
    """Decorate a provider that looks at the Authorization header: each 401 of it names the scheme."""

    def decorate(provider: Provider) -> Provider:
        @wraps(provider)
        def ask(request: HttpRequest, wish: Authenticate) -> Reply:
            try:
                return provider(request, wish)
            except Refusal as refusal:
                if refusal.status == HTTPStatus.UNAUTHORIZED:
                    refusal.headers["WWW-Authenticate"] = f'{scheme} realm="/auth/{name}"'
                raise

        return ask

    return decorate


@asks_by_header("Basic", "basic")
def by_basic(request: HttpRequest, wish: Authenticate) -> Reply:
    """Log in with the name and password of the header; a token in the name's place is an application's."""
    name, password = basic_of(request) or ("", "")
    if name and not password and (application := application_named(request)):
        return Reply(application.as_response())
    if not name or not password or len(password) > people.MAX_PASSWORD_LENGTH:
        raise not_authenticated()
    return _log_in(request, wish, name, password, provider="basic")


@asks_by_header("Bearer", "jwt")
def by_jwt(request: HttpRequest, _wish: Authenticate) -> Reply:
    """Tell which person an access token belongs to. It stays the token it was: nothing new is handed out."""
    person = person_named(request)
    if person is None:
        raise not_authenticated()
    return Reply(person.as_response())


@asks_by_header("Bearer", "apikey")
def by_apikey(request: HttpRequest, _wish: Authenticate) -> Reply:
    """Tell which application a token belongs to."""
    application = application_named(request)
    if application is None:
        raise not_authenticated()
    return Reply(application.as_response())


PROVIDERS: dict[str, Provider] = {
    "credentials": by_credentials,
    "basic": by_basic,
    "jwt": by_jwt,
    "apikey": by_apikey,
}


def _log_in(request: HttpRequest, wish: Authenticate, name: str, password: str, *, provider: str) -> Reply:
    user = people.check_password(request, name, password)
    # The cookies of an earlier log-in are overwritten or deleted: nobody is left to end it.
    earlier = logins_of_token_cookies(request)
    login = sessions.start(
        request, user, provider=provider, remember=wish.remember_me, tokens_only=bool(wish.use_token_cookie)
    )
    sessions.end(request, earlier)
    response = AuthenticateResponse(
        user_id=str(user.id),
        session_id=login.session_id,
        user_name=name,
        display_name=user.email,
        referrer_url=wish.continue_to,
        bearer_token=login.tokens.access,
        refresh_token=login.tokens.refresh,
        roles=people.roles_of(user),
        permissions=[],
        response_status=ResponseStatus(),
    )
    return Reply(response, cookies=cookies.of_login(request, login), logged_in=True)


def _missing(name: str, label: str, value: str | None) -> list[ResponseError]:
    return [] if value else [_field("NotEmpty", name, label, f"'{label}' must not be empty.")]


def _too_long(name: str, label: str, value: str | None, limit: int) -> list[ResponseError]:
    message = f"'{label}' must be {limit} characters or fewer."
    return [_field("Length", name, label, message)] if len(value or "") > limit else []


def _unsafe(name: str, label: str, value: str | None) -> list[ResponseError]:
    message = f"'{label}' must not hold control characters, nor marks that change the direction of text."
    return [] if people.is_safe_text((value or "").strip()) else [_field("InvalidCharacters", name, label, message)]


def _field(code: str, name: str, label: str, message: str) -> ResponseError:
    return ResponseError(error_code=code, field_name=name, message=message, meta={"PropertyName": label})
