"""What views say about themselves in the OpenAPI document. config/openapi/ adds the errors and the examples."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse

from authn.permissions import RequiresRole
from authn.serializers import ErrorDto

# Some routes issue nothing to a browser that loads a link before its user follows it.
PREFETCH = {204: OpenApiResponse(description="A prefetch, before the user has followed the link: nothing was issued")}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """The documented security scheme, for access tokens of users and application tokens alike."""

    target_class = "authn.authentication.BearerAuthentication"
    name = "access-token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the scheme as the document shows it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def documented(
    body: object, permission: type[RequiresRole] | None = None, *, status: int = 200, ok: str
) -> dict[int, OpenApiResponse]:
    """Return the `responses` of a route: the successful one, and the 403 whose text names the roles.

    `body` is a serializer, anything else that drf-spectacular accepts, or None for no body.
    """
    responses = {status: OpenApiResponse(body, description=ok)}
    if permission is not None:
        responses[403] = OpenApiResponse(ErrorDto, description=permission().message)
    return responses
