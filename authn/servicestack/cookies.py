"""Cookies of the service: names, lifetimes, and how they are set."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework_simplejwt.tokens import AccessToken

from authn.servicestack.login_tokens import ReusableRefreshToken
from authn.servicestack.sessions import LogIn

TOKEN, REFRESH_TOKEN = "ss-tok", "ss-reftok"  # noqa: S105  # names
OF_A_SESSION = ("ss-id", "ss-pid", "X-UAId", TOKEN)
TWENTY_YEARS = 20 * 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set. `seconds` is its lifetime: None for a browser session, 0 to delete it."""

    name: str
    value: str = field(repr=False)
    seconds: int | None = None


def of_login(request: HttpRequest, login: LogIn) -> list[Cookie]:
    """Return the cookies of a log-in: those of its session, or those of its tokens.

    A new session deletes the token cookies of an earlier log-in, which would authenticate in its place.
    """
    user_id = Cookie("X-UAId", str(login.user.id), TWENTY_YEARS)
    if not login.has_session:
        return [user_id, of_access(login.tokens.access), of_refresh(login.tokens.refresh)]
    return [
        Cookie("ss-id", login.temporary_id),
        Cookie("ss-pid", login.permanent_id, TWENTY_YEARS),
        Cookie("ss-opt", "perm" if login.is_permanent else "temp", TWENTY_YEARS),
        user_id,
        *deleted(*(name for name in (TOKEN, REFRESH_TOKEN) if request.COOKIES.get(name))),
    ]


def of_access(token: str) -> Cookie:
    """Return the access token cookie."""
    return Cookie(TOKEN, token, int(AccessToken.lifetime.total_seconds()))


def of_refresh(token: str) -> Cookie:
    """Return the refresh token cookie."""
    return Cookie(REFRESH_TOKEN, token, int(ReusableRefreshToken.lifetime.total_seconds()))


def deleted(*names: str) -> list[Cookie]:
    """Return cookies that delete those of these names."""
    return [Cookie(name, "", 0) for name in names]


def write(response: HttpResponse, request: HttpRequest, cookies: list[Cookie]) -> None:
    """Set cookies on a response. X-Cookies lists the token cookies, which scripts cannot read."""
    for cookie in cookies:
        response.set_cookie(
            cookie.name,
            cookie.value,
            max_age=cookie.seconds,
            secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        if not cookie.value:
            # Python writes an empty value as two quotes, which the npm client would keep as the value.
            response.cookies[cookie.name].set(cookie.name, "", "")
            response.cookies[cookie.name]["expires"] = "Thu, 01 Jan 1970 00:00:00 GMT"
    tokens = [each.name for each in cookies if each.name in (TOKEN, REFRESH_TOKEN) and each.value]
    if tokens:
        response["X-Cookies"] = ",".join(tokens)
