"""The operations of the service, by name: what each takes, answers and does."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest

from authn.servicestack.authenticating import authenticate
from authn.servicestack.dtos import Authenticate, AuthenticateResponse, GetAccessToken, GetAccessTokenResponse
from authn.servicestack.errors import Refusal
from authn.servicestack.refreshing import get_access_token
from authn.servicestack.replies import Reply


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `routes` are its addresses beside the common ones, `verbs` the methods it has."""

    request: type[Any]
    response: type[Any]
    run: Callable[[HttpRequest, Any, str], Reply]
    routes: tuple[str, ...]
    verbs: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name, which is that of the message it takes."""
        return self.request.__name__


AUTHENTICATE = Operation(
    request=Authenticate,
    response=AuthenticateResponse,
    run=authenticate,
    routes=("/auth", "/auth/{provider}", "/authenticate", "/authenticate/{provider}"),
    verbs=("GET", "HEAD", "POST", "DELETE", "OPTIONS"),
)
# By POST alone: a refresh token does not belong into an address, nor a new cookie to a mere look.
GET_ACCESS_TOKEN = Operation(
    request=GetAccessToken,
    response=GetAccessTokenResponse,
    run=get_access_token,
    routes=("/access-token",),
    verbs=("POST", "OPTIONS"),
)
OPERATIONS = {each.name.lower(): each for each in (AUTHENTICATE, GET_ACCESS_TOKEN)}


def operation_named(name: str) -> Operation:
    """Return the operation of a name, in any case. Raises Refusal (404): batches are none, either."""
    try:
        return OPERATIONS[name.lower()]
    except KeyError as error:
        raise Refusal(HTTPStatus.NOT_FOUND, "NotFound", "No such operation") from error
