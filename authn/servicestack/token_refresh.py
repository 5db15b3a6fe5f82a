"""The GetAccessToken operation: a refresh token of this service for a new access token."""

from http import HTTPStatus

from django.http import HttpRequest

from authn.servicestack import bearers, cookies, people
from authn.servicestack.dtos import GetAccessToken, GetAccessTokenResponse, ResponseError, ResponseStatus
from authn.servicestack.errors import Refusal, Unreadable
from authn.servicestack.origins import refuse_cross_site
from authn.servicestack.replies import Reply


def get_access_token(request: HttpRequest, wish: GetAccessToken, _in_path: str) -> Reply:
    """Hand out an access token, in a cookie where the refresh token came in one. Raises Refusal.

    A bearer beside it is not looked at: clients send their expired one along.
    """
    refuse_cross_site(request)
    in_cookie = request.COOKIES.get(cookies.REFRESH_TOKEN, "")
    value = wish.refresh_token or in_cookie
    if not value:
        message = "Value cannot be null. (Parameter 'RefreshToken')"
        field = ResponseError(error_code="ArgumentNullException", field_name="RefreshToken", message=message)
        raise Refusal(HTTPStatus.BAD_REQUEST, "ArgumentNullException", message, fields=[field])
    with people.counting_refusals(request):
        token = _new_token(request, value)
    if wish.use_token_cookie or not wish.refresh_token:
        return Reply(GetAccessTokenResponse(response_status=ResponseStatus()), cookies=[cookies.of_access(token)])
    return Reply(GetAccessTokenResponse(access_token=token, response_status=ResponseStatus()))


def _new_token(request: HttpRequest, value: str) -> str:
    try:
        row, user_id = bearers.login_of_refresh(value)
    except bearers.Expired as error:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "TokenException", str(error)) from error
    except Unreadable as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "ArgumentException", str(error)) from error
    if row is None:
        raise _ended(request, people.person_with(user_id))
    family = row.family
    people.note_refresh(request, family.user, family=str(family.id))
    return bearers.access_token(family)


def _ended(request: HttpRequest, user: people.User | None) -> Refusal:
    """Return the refusal of a token whose log-in is over: the signature was good, so its name can be believed."""
    if user is None:
        return Refusal(HTTPStatus.NOT_FOUND, "NotFound", "User does not exist")
    refusal = Refusal(HTTPStatus.UNAUTHORIZED, "TokenException", "Token has been revoked")
    if not user.is_active:
        refusal = Refusal(HTTPStatus.UNAUTHORIZED, "AuthenticationException", "This account has been locked")
    people.note_refused_refresh(request, user, code=refusal.code)
    return refusal
