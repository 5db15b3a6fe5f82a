"""Registry of the operations: their DTOs, routes, methods and functions."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest

from authn.servicestack.authentication import authenticate
from authn.servicestack.dtos import (
    Authenticate,
    AuthenticateResponse,
    GetAccessToken,
    GetAccessTokenResponse,
    RequestDto,
)
from authn.servicestack.errors import Refusal
from authn.servicestack.replies import Reply
from authn.servicestack.token_refresh import get_access_token


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation. `routes` are its URLs beside the common ones, `verbs` its HTTP methods."""

    request: type[RequestDto]
    response: type[AuthenticateResponse] | type[GetAccessTokenResponse]
    run: Callable[[HttpRequest, Any, str], Reply]  # with a DTO of the class `request`, and the path's provider
    routes: tuple[str, ...]
    verbs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name, which is that of the request DTO."""
        return self.request.__name__


AUTHENTICATE = Operation(
    request=Authenticate,
    response=AuthenticateResponse,
    run=authenticate,
    routes=("/auth", "/auth/{provider}", "/authenticate", "/authenticate/{provider}"),
    verbs=("GET", "HEAD", "POST", "DELETE", "OPTIONS"),
)
# POST only: a refresh token must not be in a URL, and a GET must not set a cookie.
GET_ACCESS_TOKEN = Operation(
    request=GetAccessToken,
    response=GetAccessTokenResponse,
    run=get_access_token,
    routes=("/access-token",),
    verbs=("POST", "OPTIONS"),
)
OPERATIONS = {each.name.lower(): each for each in (AUTHENTICATE, GET_ACCESS_TOKEN)}


def operation_named(name: str) -> Operation:
    """Return an operation by its case-insensitive name. Raises Refusal (404), also for batches."""
    try:
        return OPERATIONS[name.lower()]
    except KeyError as error:
        raise Refusal(HTTPStatus.NOT_FOUND, "NotFound", "No such operation") from error
