"""Says in the OpenAPI document what routes answer, in one line for each route."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse

from authn.permissions import RequiresRole
from authn.serializers import ErrorDto

_MEANINGS: Mapping[int, str] = {
    204: "Asked for by a prefetch, before anybody has clicked: nothing was minted",
    400: "The request is not as documented; `errors` names the fields",
    401: "Unauthorized",
    403: "The request came from a page of another site",
    404: "Nothing of this name is registered",
    409: "An owner must act, or must say which; `code` and `action` tell",
    410: "The org is locked, deleted or expired",
    429: "Too many tries or log-ins; wait as long as Retry-After says",
    502: "Salesforce refused, or its answer cannot be believed",
    503: "Salesforce or this desk is out of reach or busy; wait as long as Retry-After says",
    504: "Salesforce did not answer in time",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """The contract's security scheme; a person's JWT and an application token travel alike."""

    target_class = "authn.authentication.BearerAuthentication"
    name = "access-token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme as the document shows it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def add_pages(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the pages of the contract to the document, which REST framework does not serve. A spectacular hook."""
    texts = {
        "action": "What to continue to after the log-in, such as frontDoorUrl; case is ignored.",
        "params": "key:value pairs with commas between. frontDoorUrl: targetOrg (required), repository, prodOrg.",
    }
    result["paths"]["/sfp/api/auth/continue"] = {
        "get": {
            "operationId": "AuthController_continue",
            "summary": "Log in if need be, and continue to an action",
            "description": "A page for people. The link is stable and holds no secret, so it fits into a pull request.",
            "tags": ["Authentication"],
            "security": [{}],
            "parameters": [
                {"in": "query", "name": name, "required": True, "schema": {"type": "string"}, "description": text}
                for name, text in texts.items()
            ],
            "responses": {
                "200": {"description": "HTML page for login and continuation."},
                "204": {"description": _MEANINGS[204]},
                "400": {"description": "HTML page: the link names no action that is known, or lacks a part"},
            },
        }
    }
    return result


def answers(
    good: Any, *failures: int | tuple[int, type[RequiresRole]], status: int = 200, ok: str = ""
) -> dict[int, OpenApiResponse]:
    """Return the `responses` of a route: the good answer, then the failures with the error body.

    A failure is a status, or (403, permission class): then the text names the roles.
    """
    documented = {status: OpenApiResponse(good, description=ok)}
    for failure in failures:
        if isinstance(failure, tuple):
            number, permission = failure
            documented[number] = OpenApiResponse(ErrorDto, description=permission().message)
        else:
            body = ErrorDto if failure >= 400 else None
            documented[failure] = OpenApiResponse(body, description=_MEANINGS[failure])
    return documented
