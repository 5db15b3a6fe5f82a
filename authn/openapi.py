"""The responses of routes in the OpenAPI document, in one line per route."""

from collections.abc import Mapping

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse

from authn.permissions import RequiresRole
from authn.serializers import ErrorDto

_MEANINGS: Mapping[int, str] = {
    204: "A prefetch, before the user has followed the link: no link was created",
    400: "The request is not as documented; `errors` names the fields",
    401: "Unauthorized",
    403: "The request came from a page of another site",
    404: "No such resource is registered",
    409: "Conflict with the current state; `code` and `action` say what to do",
    410: "The org is locked, deleted or expired",
    429: "Too many attempts or log-ins; wait as long as Retry-After says",
    502: "Salesforce refused the request, or its response is invalid",
    503: "Salesforce or this desk is unavailable or busy; wait as long as Retry-After says",
    504: "Salesforce did not respond in time",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """The documented security scheme, for access tokens of users and application tokens alike."""

    target_class = "authn.authentication.BearerAuthentication"
    name = "access-token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the scheme as the document shows it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def add_pages(result: dict[str, dict[str, object]], **_: object) -> dict[str, dict[str, object]]:
    """Add the documented pages, which REST framework does not serve. A postprocessing hook of drf-spectacular."""
    texts = {
        "action": "The action to continue to after the log-in, such as frontDoorUrl; case is ignored.",
        "params": "Comma-separated key:value pairs. frontDoorUrl: targetOrg (required), repository, prodOrg.",
    }
    result["paths"]["/sfp/api/auth/continue"] = {
        "get": {
            "operationId": "AuthController_continue",
            "summary": "Log in if necessary, and continue to an action",
            "description": "A page for browsers. The link is stable and contains no secret, so it can be shared.",
            "tags": ["Authentication"],
            "security": [{}],
            "parameters": [
                {"in": "query", "name": name, "required": True, "schema": {"type": "string"}, "description": text}
                for name, text in texts.items()
            ],
            "responses": {
                "200": {"description": "HTML page for login and continuation."},
                "204": {"description": _MEANINGS[204]},
                "400": {"description": "HTML page: the link names an unknown action, or lacks a parameter"},
            },
        }
    }
    return result


def documented(
    body: object, *failures: int | tuple[int, type[RequiresRole]], status: int = 200, ok: str = ""
) -> dict[int, OpenApiResponse]:
    """Return the `responses` of a route: the successful one, then the failures with the error body.

    `body` is a serializer, or anything else that drf-spectacular accepts. A failure is a status, or
    (403, permission class), whose text names the roles.
    """
    responses = {status: OpenApiResponse(body, description=ok)}
    for failure in failures:
        if isinstance(failure, tuple):
            number, permission = failure
            responses[number] = OpenApiResponse(ErrorDto, description=permission().message)
        else:
            content = ErrorDto if failure >= 400 else None
            responses[failure] = OpenApiResponse(content, description=_MEANINGS[failure])
    return responses
