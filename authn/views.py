"""Log-in of people and the tokens of applications, over REST."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED
from rest_framework.views import APIView

from authn import login, tokens
from authn.actors import Actor
from authn.lockout import LoginThrottle
from authn.models import ApplicationToken, User
from authn.permissions import OwnersOnly
from authn.serializers import (
    AdminLoginDto,
    AdminLoginResponseDto,
    ApplicationTokenDto,
    CreatedTokenDto,
    CreateTokenDto,
    ErrorDto,
    TokenRefreshDto,
    TokenRefreshResponseDto,
)


def _error(text: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorDto, description=text)


class AdminLoginView(APIView):
    """`POST /sfp/api/auth/admin/login`: e-mail and password for a pair of tokens."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)

    @extend_schema(
        operation_id="AuthController_adminLogin",
        summary="Admin login with username and password",
        description="Logs a person in. The access token lives one hour, the refresh token 14 days.",
        tags=["Authentication"],
        auth=[],
        request=AdminLoginDto,
        responses={
            200: OpenApiResponse(AdminLoginResponseDto, description="Authentication successful"),
            400: _error("The body is not as documented"),
            401: _error("Invalid credentials"),
            429: _error("Too many tries; wait as long as Retry-After says"),
        },
    )
    def post(self, request: Request) -> Response:
        """Log a person in."""
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
    """`POST /sfp/api/auth/refresh`: a refresh token for the next pair."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)

    @extend_schema(
        operation_id="AuthController_refresh",
        summary="Trade a refresh token for a new pair of tokens",
        description="Each refresh token is good once. One that comes back a second time ends the whole log-in.",
        tags=["Authentication"],
        auth=[],
        request=TokenRefreshDto,
        responses={
            200: OpenApiResponse(TokenRefreshResponseDto, description="The next pair of tokens"),
            400: _error("The body is not as documented"),
            401: _error("The refresh token is not, or no longer, good"),
            429: _error("Too many tries; wait as long as Retry-After says"),
        },
    )
    def post(self, request: Request) -> Response:
        """Hand out the next pair."""
        form = TokenRefreshDto(data=request.data)
        form.is_valid(raise_exception=True)
        pair = login.refresh(form.validated_data["refresh_token"], request=request._request)
        return Response(
            {"success": True, "access_token": pair.access_token, "refresh_token": pair.refresh_token},
            status=HTTP_200_OK,
        )


class ApplicationTokensView(APIView):
    """`/sfp/api/application-tokens`: list and make the tokens of CI jobs."""

    permission_classes = (OwnersOnly,)

    @extend_schema(
        operation_id="ApplicationTokensController_list",
        summary="List application tokens",
        tags=["Application Tokens"],
        responses={
            200: ApplicationTokenDto(many=True),
            401: _error("Unauthorized"),
            403: _error(OwnersOnly().message),
        },
    )
    def get(self, _request: Request) -> Response:
        """List all tokens, newest first, without their values."""
        return Response(ApplicationTokenDto(ApplicationToken.objects.all(), many=True).data)

    @extend_schema(
        operation_id="ApplicationTokensController_create",
        summary="Create an application token",
        description="The value is in this answer alone; it cannot be fetched again.",
        tags=["Application Tokens"],
        request=CreateTokenDto,
        responses={
            201: CreatedTokenDto,
            400: _error("The body is not as documented"),
            401: _error("Unauthorized"),
            403: _error(OwnersOnly().message),
        },
    )
    def post(self, request: Request) -> Response:
        """Make a token."""
        form = CreateTokenDto(data=request.data)
        form.is_valid(raise_exception=True)
        creator = request.auth if isinstance(request.auth, User) else None
        row, value = tokens.issue(
            name=form.validated_data["name"],
            days=form.validated_data["expiresIn"],
            by=Actor.of(request),
            creator=creator,
        )
        row.token = value  # type: ignore[attr-defined]  # for this answer alone, never stored
        return Response(CreatedTokenDto(row).data, status=HTTP_201_CREATED)


class ApplicationTokenView(APIView):
    """`DELETE /sfp/api/application-tokens/{token}`: end a token."""

    permission_classes = (OwnersOnly,)

    @extend_schema(
        operation_id="ApplicationTokensController_revoke",
        summary="Revoke an application token",
        description="Takes the token's id; its value is taken too. It stops working at once, on every worker.",
        tags=["Application Tokens"],
        parameters=[OpenApiParameter("token", str, OpenApiParameter.PATH, description="The token to revoke: its id.")],
        request=None,
        responses={
            200: OpenApiResponse(description="Token revoked"),
            401: _error("Unauthorized"),
            403: _error(OwnersOnly().message),
            404: _error("No active token has this id"),
        },
    )
    def delete(self, request: Request, token: str) -> Response:
        """Revoke a token."""
        tokens.revoke(token, by=Actor.of(request))
        return Response(status=HTTP_200_OK)
