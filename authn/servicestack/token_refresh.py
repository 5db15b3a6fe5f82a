"""The GetAccessToken operation: exchange a refresh token of this service for an access token."""

from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack import cookies, identity, login_tokens
from authn.servicestack.dtos import GetAccessToken, GetAccessTokenResponse, ResponseError, ResponseStatus
from authn.servicestack.errors import Refusal, Unreadable
from authn.servicestack.origins import refuse_cross_site
from authn.servicestack.replies import Reply


def get_access_token(request: HttpRequest, dto: GetAccessToken, _path_provider: str) -> Reply:
    """Issue an access token, in a cookie if the refresh token came in one. Raises Refusal.

    The Authorization header is ignored, because clients still send their expired access token in it.
    """
    refuse_cross_site(request)
    in_cookie = request.COOKIES.get(cookies.REFRESH_TOKEN, "")
    value = dto.refresh_token or in_cookie
    if not value:
        message = "Value cannot be null. (Parameter 'RefreshToken')"
        field = ResponseError(error_code="ArgumentNullException", field_name="RefreshToken", message=message)
        raise Refusal(HTTPStatus.BAD_REQUEST, "ArgumentNullException", message, fields=[field])
    with identity.limit_refused_refreshes(request):
        token = _new_token(request, value)
    if dto.use_token_cookie or not dto.refresh_token:
        return Reply(GetAccessTokenResponse(response_status=ResponseStatus()), cookies=[cookies.of_access(token)])
    return Reply(GetAccessTokenResponse(access_token=token, response_status=ResponseStatus()))


def _new_token(request: HttpRequest, value: str) -> str:
    try:
        row, user_id = login_tokens.login_of_refresh(value)
    except login_tokens.Expired as error:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "TokenException", str(error)) from error
    except Unreadable as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "ArgumentException", str(error)) from error
    if row is None:
        raise _ended(request, identity.user_with_id(user_id))
    family = row.family
    identity.record_refresh(request, family.user, family=str(family.id))
    return login_tokens.access_token(family)


def _ended(request: HttpRequest, user: identity.User | None) -> Refusal:
    """Return the refusal of a token whose log-in has ended. Its signature was valid, so `user` is trustworthy."""
    if user is None:
        return Refusal(HTTPStatus.NOT_FOUND, "NotFound", "User does not exist")
    refusal = Refusal(HTTPStatus.UNAUTHORIZED, "TokenException", "Token has been revoked")
    if not user.is_active:
        refusal = Refusal(HTTPStatus.UNAUTHORIZED, "AuthenticationException", "This account has been locked")
    identity.count_refused_refresh(request, user, code=refusal.code)
    return refusal
