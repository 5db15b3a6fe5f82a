"""The Authenticate operation: who logs in by which provider, who is told who they are, who logs out."""

from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack import cookies, sessions
from authn.servicestack.callers import caller_of, logins_of
from authn.servicestack.dtos import Authenticate, AuthenticateResponse, ResponseStatus
from authn.servicestack.errors import Refusal
from authn.servicestack.origins import continue_of, refuse_cross_site
from authn.servicestack.providers import LOGOUT, PROVIDERS, by_credentials, canonical, unknown_provider
from authn.servicestack.replies import Reply


def authenticate(request: HttpRequest, wish: Authenticate, in_path: str) -> Reply:
    """Do what a message wishes. `in_path` is the provider that the address names, or "".

    Raises Refusal. A GET tells who somebody is, or logs out, and never logs in: passwords do not
    belong into addresses.
    """
    # Taken away first: the page that tells of the refusal must not offer the refused place again.
    place, wish.continue_to = wish.continue_to, None
    wish.continue_to = continue_of(request, place)
    provider = canonical(wish.provider or "")
    if request.method == "DELETE" or provider == LOGOUT:
        _refuse_get(request, in_path if canonical(in_path) != LOGOUT else "")
        return _log_out(request)
    if provider and provider not in PROVIDERS:
        raise unknown_provider(wish.provider or "")
    _refuse_get(request, in_path, provider, wish.user_name, wish.password)
    if request.method == "POST":
        refuse_cross_site(request)
    if provider:
        return PROVIDERS[provider](request, wish)
    return by_credentials(request, wish) if wish.user_name else Reply(caller_of(request).as_response())


def _refuse_get(request: HttpRequest, *asks_for_a_login: str | None) -> None:
    if request.method in ("GET", "HEAD") and any(asks_for_a_login):
        message = "GET Authenticate requests are disabled, send a POST to log in"
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "NotSupportedException", message)


def _log_out(request: HttpRequest) -> Reply:
    """End every log-in that the request shows, and its cookies; nobody may log out as well."""
    refuse_cross_site(request)
    answer = AuthenticateResponse(response_status=ResponseStatus())
    if request.method == "HEAD":
        return Reply(answer)  # Who asks for headers alone wants to look, and do nothing.
    sessions.end(request, logins_of(request))
    names = [*cookies.OF_A_SESSION]
    # The npm client takes a deleted ss-reftok for a held one, so it is deleted only where it was.
    names += [cookies.REFRESH_TOKEN] if request.COOKIES.get(cookies.REFRESH_TOKEN) else []
    return Reply(answer, cookies=cookies.deleted(*names))
