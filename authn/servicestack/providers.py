"""Authentication providers, one function each. The first is the default.

credentials   user name and password in the DTO; `login` is an alias
basic         user name and password in the Authorization header
jwt           an access token of an earlier log-in, in the header
apikey        an application token, in the header

`logout` is in `authentication`, because it is not a way to log in.
"""

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack import cookies, identity, sessions
from authn.servicestack.callers import application_of_header, basic_of, logins_of_token_cookies, user_of_bearer
from authn.servicestack.dtos import Authenticate, AuthenticateResponse, ResponseError, ResponseStatus
from authn.servicestack.errors import Refusal, not_authenticated
from authn.servicestack.replies import Reply

Provider = Callable[[HttpRequest, Authenticate], Reply]

LOGOUT = "logout"
_ALIASES = {"login": "credentials"}


def canonical(name: str) -> str:
    """Return the canonical spelling of a provider's name, which is case-insensitive."""
    return _ALIASES.get(name.lower(), name.lower())


def unknown_provider(name: str) -> Refusal:
    """Return the 404 for an unknown provider. The message quotes its name without markup."""
    safe = re.sub(r"[^\w.\- ]", "", name, flags=re.ASCII)[:50]
    message = f"No configuration was added for OAuth provider '{safe}'"
    return Refusal(HTTPStatus.NOT_FOUND, "NotFound", message)


def by_credentials(request: HttpRequest, dto: Authenticate) -> Reply:
    """Log in with the user name and password of the DTO."""
    fields = [*_missing("UserName", "User Name", dto.user_name), *_missing("Password", "Password", dto.password)]
    fields = fields or [
        *_too_long("UserName", "User Name", dto.user_name, identity.MAX_NAME_LENGTH),
        *_too_long("Password", "Password", dto.password, identity.MAX_PASSWORD_LENGTH),
        *_unsafe("UserName", "User Name", dto.user_name),
    ]
    if fields:
        lines = [f"\n -- {each.field_name}: {each.message}" for each in fields]
        message = "Validation failed: " + "".join(lines)
        raise Refusal(HTTPStatus.BAD_REQUEST, "ValidationException", message, fields=fields)
    return _log_in(request, dto, str(dto.user_name), str(dto.password), provider="credentials")


def challenges(scheme: str, name: str) -> Callable[[Provider], Provider]:
    """Decorate a provider of the Authorization header: its 401 responses carry WWW-Authenticate."""

    def decorate(provider: Provider) -> Provider:
        @wraps(provider)
        def run(request: HttpRequest, dto: Authenticate) -> Reply:
            try:
                return provider(request, dto)
            except Refusal as refusal:
                if refusal.status == HTTPStatus.UNAUTHORIZED:
                    refusal.headers["WWW-Authenticate"] = f'{scheme} realm="/auth/{name}"'
                raise

        return run

    return decorate


@challenges("Basic", "basic")
def by_basic(request: HttpRequest, dto: Authenticate) -> Reply:
    """Log in with the user name and password of the header; an application may send its token as user name."""
    name, password = basic_of(request) or ("", "")
    if name and not password and (application := application_of_header(request)):
        return Reply(application.as_response())
    if not name or not password or len(password) > identity.MAX_PASSWORD_LENGTH:
        raise not_authenticated()
    return _log_in(request, dto, name, password, provider="basic")


@challenges("Bearer", "jwt")
def by_jwt(request: HttpRequest, _dto: Authenticate) -> Reply:
    """Return the user of an access token. No new token is issued."""
    user = user_of_bearer(request)
    if user is None:
        raise not_authenticated()
    return Reply(user.as_response())


@challenges("Bearer", "apikey")
def by_apikey(request: HttpRequest, _dto: Authenticate) -> Reply:
    """Return the application of a token."""
    application = application_of_header(request)
    if application is None:
        raise not_authenticated()
    return Reply(application.as_response())


PROVIDERS: dict[str, Provider] = {
    "credentials": by_credentials,
    "basic": by_basic,
    "jwt": by_jwt,
    "apikey": by_apikey,
}


def _log_in(request: HttpRequest, dto: Authenticate, name: str, password: str, *, provider: str) -> Reply:
    user = identity.check_password(request, name, password)
    # An earlier log-in ends here, because its cookies are overwritten and no client could end it later.
    earlier = logins_of_token_cookies(request)
    login = sessions.start(
        request, user, provider=provider, remember=dto.remember_me, tokens_only=bool(dto.use_token_cookie)
    )
    sessions.end(request, earlier)
    response = AuthenticateResponse(
        user_id=str(user.id),
        session_id=login.session_id,
        user_name=name,
        display_name=user.email,
        referrer_url=dto.continue_to,
        bearer_token=login.tokens.access,
        refresh_token=login.tokens.refresh,
        roles=identity.roles_of(user),
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
    message = f"'{label}' must not contain control characters or bidirectional formatting characters."
    return [] if identity.is_safe_text((value or "").strip()) else [_field("InvalidCharacters", name, label, message)]


def _field(code: str, name: str, label: str, message: str) -> ResponseError:
    return ResponseError(error_code=code, field_name=name, message=message, meta={"PropertyName": label})
