"""Finds out who sends a request, from its bearer. Both kinds of bearer travel in one header."""

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
    """Turn `Authorization: Bearer ...` into an Actor.

    `request.user` becomes the Actor and `request.auth` the User or ApplicationToken row. One
    query; a revoked token or a switched-off person is out at the next request.
    """

    def authenticate(self, request: Request) -> tuple[Principal, User | ApplicationToken] | None:
        """Return actor and row, or None without a bearer. Raises BearerRefused."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, value = header.partition(" ")
        if scheme.lower() != "bearer":
            return None
        value = value.strip()
        if not value or len(value) > MAX_BEARER_LENGTH or not value.isascii():
            raise BearerRefused
        if tokens.is_application_token(value):
            return self._application(request, tokens.find(value))
        person = authenticate_access_token(value).user
        return principal_for(person, request._request), person

    def authenticate_header(self, _request: Request) -> str:
        """Return what a 401 says in WWW-Authenticate."""
        return 'Bearer realm="frontdesk"'

    def _application(self, request: Request, row: ApplicationToken) -> tuple[Principal, ApplicationToken]:
        actor = Principal(
            kind="application",
            id=str(row.id),
            name=row.name,
            role=Role.APPLICATION,
            address=client_address(request._request),
            request_id=request_id_of(request),
        )
        return actor, row
