"""The Authenticate operation: log in by a provider, return the current user, or log out."""

from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack import cookies, sessions
from authn.servicestack.callers import caller_of, logins_of
from authn.servicestack.dtos import Authenticate, AuthenticateResponse, ResponseStatus
from authn.servicestack.errors import Refusal
from authn.servicestack.origins import refuse_cross_site, validated_continue
from authn.servicestack.providers import LOGOUT, PROVIDERS, by_credentials, canonical, unknown_provider
from authn.servicestack.replies import Reply


def authenticate(request: HttpRequest, dto: Authenticate, path_provider: str) -> Reply:
    """Run the operation. `path_provider` is the provider in the URL's path, or "".

    Raises Refusal. A GET returns the current user or logs out. It never logs in, because passwords must
    not be in URLs.
    """
    # Removed first, because the page of a refusal would offer the refused target again.
    target, dto.continue_to = dto.continue_to, None
    dto.continue_to = validated_continue(request, target)
    provider = canonical(dto.provider or "")
    if request.method == "DELETE" or provider == LOGOUT:
        _refuse_get(request, path_provider if canonical(path_provider) != LOGOUT else "")
        return _log_out(request)
    if provider and provider not in PROVIDERS:
        raise unknown_provider(dto.provider or "")
    _refuse_get(request, path_provider, provider, dto.user_name, dto.password)
    if request.method == "POST":
        refuse_cross_site(request)
    if provider:
        return PROVIDERS[provider](request, dto)
    return by_credentials(request, dto) if dto.user_name else Reply(caller_of(request).as_response())


def _refuse_get(request: HttpRequest, *login_members: str | None) -> None:
    if request.method in ("GET", "HEAD") and any(login_members):
        message = "GET Authenticate requests are disabled, send a POST to log in"
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "NotSupportedException", message)


def _log_out(request: HttpRequest) -> Reply:
    """End every log-in that the request presents a credential of. Succeeds without one too."""
    refuse_cross_site(request)
    response = AuthenticateResponse(response_status=ResponseStatus())
    if request.method == "HEAD":
        return Reply(response)  # HEAD must not have side effects.
    sessions.end(request, logins_of(request))
    names = [*cookies.OF_A_SESSION]
    # The npm client mistakes a deleted ss-reftok for a held one, so it is deleted only if it was sent.
    names += [cookies.REFRESH_TOKEN] if request.COOKIES.get(cookies.REFRESH_TOKEN) else []
    return Reply(response, cookies=cookies.deleted(*names))
