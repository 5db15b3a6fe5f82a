"""The cookies of the service: which there are, how long they live, and how they are written."""

from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework_simplejwt.tokens import AccessToken

from authn.servicestack.bearers import StayingRefreshToken
from authn.servicestack.sessions import LogIn

TOKEN, REFRESH_TOKEN = "ss-tok", "ss-reftok"  # noqa: S105  # names
OF_A_SESSION = ("ss-id", "ss-pid", "X-UAId", TOKEN)
TWENTY_YEARS = 20 * 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; `seconds` is None for one that lives as long as the browser, 0 for one that ends."""

    name: str
    value: str = field(repr=False)
    seconds: int | None = None


def of_login(request: HttpRequest, login: LogIn) -> list[Cookie]:
    """Return the cookies that a log-in sets: those of its session, or those of its tokens.

    Tokens of somebody who was here before must not outlast the new session, and speak in its place.
    """
    informative = Cookie("X-UAId", str(login.user.id), TWENTY_YEARS)
    if not login.has_session:
        return [informative, of_access(login.tokens.access), of_refresh(login.tokens.refresh)]
    return [
        Cookie("ss-id", login.temporary_id),
        Cookie("ss-pid", login.permanent_id, TWENTY_YEARS),
        Cookie("ss-opt", "perm" if login.is_permanent else "temp", TWENTY_YEARS),
        informative,
        *deleted(*(name for name in (TOKEN, REFRESH_TOKEN) if request.COOKIES.get(name))),
    ]


def of_access(token: str) -> Cookie:
    """Return the cookie that holds an access token."""
    return Cookie(TOKEN, token, int(AccessToken.lifetime.total_seconds()))


def of_refresh(token: str) -> Cookie:
    """Return the cookie that holds a refresh token."""
    return Cookie(REFRESH_TOKEN, token, int(StayingRefreshToken.lifetime.total_seconds()))


def deleted(*names: str) -> list[Cookie]:
    """Return cookies that end those of these names."""
    return [Cookie(name, "", 0) for name in names]


def write(response: HttpResponse, request: HttpRequest, cookies: list[Cookie]) -> None:
    """Set cookies on an answer, and name the token cookies in X-Cookies: a script cannot see these."""
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
            # An empty value, not the two quotes that Python writes for it: the npm client keeps what it reads.
            response.cookies[cookie.name].set(cookie.name, "", "")
            response.cookies[cookie.name]["expires"] = "Thu, 01 Jan 1970 00:00:00 GMT"
    tokens = [each.name for each in cookies if each.name in (TOKEN, REFRESH_TOKEN) and each.value]
    if tokens:
        response["X-Cookies"] = ",".join(tokens)
