"""REST views: log-in of users, token refresh and application tokens."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED
from rest_framework.views import APIView

from authn import login, tokens
from authn.browser.login import log_in_browser
from authn.errors import ForeignOrigin, RefreshRefused
from authn.lockout import LoginThrottle, RefreshThrottle, count_refused
from authn.models import ApplicationToken
from authn.openapi import documented
from authn.permissions import OwnersOnly
from authn.principals import Principal
from authn.serializers import (
    AdminLoginDto,
    AdminLoginResponseDto,
    ApplicationTokenDto,
    AuthCallbackDto,
    AuthCallbackResponseDto,
    CreatedTokenDto,
    CreateTokenDto,
    QueryForm,
    TokenRefreshDto,
    TokenRefreshResponseDto,
)
from authn.web.same_origin import is_same_origin


class AdminLoginView(APIView):
    """`POST /sfp/api/auth/admin/login`: e-mail and password for a pair of tokens."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)

    @extend_schema(
        operation_id="AuthController_adminLogin",
        summary="Admin login with username and password",
        description="Logs a user in. The access token lives one hour, the refresh token 14 days.",
        tags=["Authentication"],
        auth=[],
        request=AdminLoginDto,
        responses=documented(AdminLoginResponseDto, ok="Authentication successful"),
    )
    def post(self, request: Request) -> Response:
        """Log a user in."""
        QueryForm.read(request)
        form = AdminLoginDto(data=request.data)
        form.is_valid(raise_exception=True)
        pair = login.log_in(**form.validated_data, request=request._request)
        user = {"id": str(pair.user.id), "email": pair.user.email, "role": pair.user.role}
        return Response(
            {
                "success": True,
                "access_token": pair.access_token,
                "refresh_token": pair.refresh_token,
                "user": user,
            },
            status=HTTP_200_OK,
        )


class TokenRefreshView(APIView):
    """`POST /sfp/api/auth/refresh`: a refresh token for a new pair of tokens."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RefreshThrottle,)

    @extend_schema(
        operation_id="AuthController_refresh",
        summary="Trade a refresh token for a new pair of tokens",
        description="A refresh token can be used once. Using it a second time ends the log-in.",
        tags=["Authentication"],
        auth=[],
        request=TokenRefreshDto,
        responses=documented(TokenRefreshResponseDto, ok="A new pair of tokens"),
    )
    def post(self, request: Request) -> Response:
        """Issue a new pair of tokens."""
        QueryForm.read(request)
        form = TokenRefreshDto(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            pair = login.refresh(form.validated_data["refresh_token"], request=request._request)
        except RefreshRefused:
            count_refused(request._request)
            raise
        return Response(
            {"success": True, "access_token": pair.access_token, "refresh_token": pair.refresh_token},
            status=HTTP_200_OK,
        )


class CallbackView(APIView):
    """`POST /sfp/api/auth/callback`: a user's tokens for a browser session."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)

    @extend_schema(
        operation_id="AuthController_callback",
        summary="Start a browser session with the tokens of a log-in",
        description="For a log-in page that obtained the tokens itself. Requests from pages of other sites are "
        "refused. The session ends with the log-in of the tokens; without a refresh token, with the access token.",
        tags=["Authentication"],
        auth=[],
        request=AuthCallbackDto,
        responses=documented(AuthCallbackResponseDto, ok="Authentication successful"),
    )
    def post(self, request: Request) -> Response:
        """Start a session."""
        if not is_same_origin(request._request):
            raise ForeignOrigin
        QueryForm.read(request)
        form = AuthCallbackDto(data=request.data)
        form.is_valid(raise_exception=True)
        family, until = login.login_of_pair(**form.validated_data)
        log_in_browser(request._request, family.user, family=family, until=until)
        return Response({"success": True, "data": {"userId": str(family.user_id)}})


class ApplicationTokensView(APIView):
    """`/sfp/api/application-tokens`: list and issue application tokens."""

    permission_classes = (OwnersOnly,)

    @extend_schema(
        operation_id="ApplicationTokensController_list",
        summary="List application tokens",
        description="Lists all tokens, newest first, without their values.",
        tags=["Application Tokens"],
        responses=documented(ApplicationTokenDto(many=True), OwnersOnly, ok="The application tokens"),
    )
    def get(self, request: Request) -> Response:
        """List all tokens, newest first, without their values."""
        QueryForm.read(request)
        return Response(ApplicationTokenDto(ApplicationToken.objects.all(), many=True).data)

    @extend_schema(
        operation_id="ApplicationTokensController_create",
        summary="Create an application token",
        description="The token's value is returned only once and cannot be retrieved again.",
        tags=["Application Tokens"],
        request=CreateTokenDto,
        responses=documented(CreatedTokenDto, OwnersOnly, status=201, ok="The new token, with its value"),
    )
    def post(self, request: Request) -> Response:
        """Issue a token."""
        QueryForm.read(request)
        form = CreateTokenDto(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        row, value = tokens.issue(name=wanted["name"], days=wanted["expiresIn"], by=Principal.of(request))
        row.token = value  # type: ignore[attr-defined]  # for this response only, never stored
        return Response(CreatedTokenDto(row).data, status=HTTP_201_CREATED)


class ApplicationTokenView(APIView):
    """`DELETE /sfp/api/application-tokens/{token}`: revoke a token."""

    permission_classes = (OwnersOnly,)

    @extend_schema(
        operation_id="ApplicationTokensController_revoke",
        summary="Revoke an application token",
        description="Accepts the token's id or its value. The revocation is effective at once.",
        tags=["Application Tokens"],
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH, description="The token to revoke: its id.")],
        request=None,
        responses=documented(None, OwnersOnly, ok="Token revoked"),
    )
    def delete(self, request: Request, token: str) -> Response:
        """Revoke a token."""
        QueryForm.read(request)
        tokens.revoke(token, by=Principal.of(request))
        return Response(status=HTTP_200_OK)
