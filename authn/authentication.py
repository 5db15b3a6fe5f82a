"""Authenticates API requests by their bearer token: an access token of a user, or an application token."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from authn import tokens
from authn.errors import BearerRefused
from authn.login import authenticate_access_token
from authn.models import ApplicationToken, User
from authn.principals import Principal, principal_for
from authn.roles import Role
from authn.web.client_address import client_address
from authn.web.request_id import request_id_of

MAX_BEARER_LENGTH = 4096


class BearerAuthentication(BaseAuthentication):
    """Turns `Authorization: Bearer ...` into a Principal.

    `request.user` becomes the Principal and `request.auth` the User or ApplicationToken row. One query; a
    revoked token or a deactivated user is refused at the next request.
    """

    def authenticate(self, request: Request) -> tuple[Principal, User | ApplicationToken] | None:
        """Return the principal and its row, or None without a bearer token. Raises BearerRefused."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        value = value.strip()
        if not value or len(value) > MAX_BEARER_LENGTH or not value.isascii():
            raise BearerRefused
        if tokens.is_application_token(value):
            return self._application(request, tokens.find(value))
        user = authenticate_access_token(value).user
        return principal_for(user, request._request), user

    def authenticate_header(self, _request: Request) -> str:
        """Return the WWW-Authenticate header of a 401."""
        return 'Bearer realm="frontdesk"'

    def _application(self, request: Request, row: ApplicationToken) -> tuple[Principal, ApplicationToken]:
        principal = Principal(
            kind="application",
            id=str(row.id),
            name=row.name,
            role=Role.APPLICATION,
            address=client_address(request._request),
            request_id=request_id_of(request),
        )
        return principal, row
