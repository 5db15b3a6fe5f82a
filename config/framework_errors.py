"""Errors of Django, REST framework and gunicorn, which are not domain errors: code, status and texts of each.

config/gunicorn.py imports this module before Django is set up, so it imports nothing of the project.
"""

from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class FrameworkError:
    """One error. `page_action` is the action on HTML pages; frameworks may pass a more exact message."""

    code: str
    status: HTTPStatus
    message: str
    action: str
    page_action: str


INVALID_REQUEST = FrameworkError(
    "INVALID_REQUEST",
    HTTPStatus.BAD_REQUEST,
    "Bad request.",
    "Correct the request and send it again.",
    "Go back and correct it, then try again.",
)
HOST_NOT_ALLOWED = FrameworkError(
    "HOST_NOT_ALLOWED",
    HTTPStatus.BAD_REQUEST,
    "The host name of the request is not one of this desk.",
    "Use the desk's own address. If it should have this name, an operator must add the name to ALLOWED_HOSTS.",
    "Use the desk's own address. If it should have this name, an operator must add the name to ALLOWED_HOSTS.",
)
VALIDATION_FAILED = FrameworkError(
    "VALIDATION_FAILED",
    HTTPStatus.BAD_REQUEST,
    "A field of the request is not valid.",
    "Correct the fields named in `errors` and send the request again.",
    "Correct the fields and send the form again.",
)
INVALID_JSON = FrameworkError(
    "INVALID_JSON",
    HTTPStatus.BAD_REQUEST,
    "The body of the request is not valid JSON.",
    INVALID_REQUEST.action,
    INVALID_REQUEST.page_action,
)
NOT_AUTHENTICATED = FrameworkError(
    "NOT_AUTHENTICATED",
    HTTPStatus.UNAUTHORIZED,
    "The request has no bearer token.",
    "Send `Authorization: Bearer <token>`; log in at /sfp/api/auth/admin/login.",
    "Log in, then try again.",
)
FORBIDDEN = FrameworkError(
    "FORBIDDEN",
    HTTPStatus.FORBIDDEN,
    "You are not allowed to do this.",
    "Ask an owner of this desk.",
    "If you should be, contact an owner of this desk.",
)
NOT_FOUND = FrameworkError(
    "NOT_FOUND",
    HTTPStatus.NOT_FOUND,
    "No such resource.",
    "Check the address; /sfp/api/docs lists every route. There is no trailing slash.",
    "Check the address, or continue from the start page.",
)
METHOD_NOT_ALLOWED = FrameworkError(
    "METHOD_NOT_ALLOWED",
    HTTPStatus.METHOD_NOT_ALLOWED,
    "This address does not support the method.",
    "Use one of the methods in the Allow header.",
    "Continue from the start page.",
)
REQUEST_TIMEOUT = FrameworkError(
    "REQUEST_TIMEOUT",
    HTTPStatus.REQUEST_TIMEOUT,
    "The request did not arrive in time.",
    "Send the request again, without pauses.",
    "Try again.",
)
PAYLOAD_TOO_LARGE = FrameworkError(
    "PAYLOAD_TOO_LARGE",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "The request body is too large.",
    "Send a smaller body.",
    "Send less at once.",
)
UNSUPPORTED_ENCODING = FrameworkError(
    "UNSUPPORTED_ENCODING",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The request body has a Content-Encoding, such as gzip.",
    "Send the body uncompressed, without Content-Encoding.",
    INVALID_REQUEST.page_action,
)
UNSUPPORTED_MEDIA_TYPE = FrameworkError(
    "UNSUPPORTED_MEDIA_TYPE",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "The media type of the request is not supported.",
    "Send JSON with `Content-Type: application/json`.",
    INVALID_REQUEST.page_action,
)
TOO_MANY_REQUESTS = FrameworkError(
    "TOO_MANY_REQUESTS",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many requests were sent.",
    "Wait as long as Retry-After says, then try again.",
    "Wait a little, then try again.",
)
INTERNAL_ERROR = FrameworkError(
    "INTERNAL_ERROR",
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something went wrong on our side.",
    "Try again. If the error persists, give the requestId to the operator of this desk.",
    "Try again. If the error persists, give the request id to the operator of this desk.",
)
DATABASE_UNAVAILABLE = FrameworkError(
    "DATABASE_UNAVAILABLE",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The desk's database is unreachable, busy or read-only.",
    "Try again after a few seconds.",
    "Try again in a minute.",
)

MIGRATIONS_MISSING = FrameworkError(
    "MIGRATIONS_MISSING",
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The desk's database is not migrated to this version.",
    "Try again in a minute. If the error persists, an operator must run `manage.py migrate`.",
    "Try again in a minute. If the error persists, an operator must run `manage.py migrate`.",
)

_BY_STATUS: dict[int, FrameworkError] = {
    error.status: error
    for error in (
        INVALID_REQUEST,
        NOT_AUTHENTICATED,
        FORBIDDEN,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        REQUEST_TIMEOUT,
        PAYLOAD_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        TOO_MANY_REQUESTS,
        INTERNAL_ERROR,
        DATABASE_UNAVAILABLE,
    )
}
FRAMEWORK_ERRORS = (
    *_BY_STATUS.values(),
    VALIDATION_FAILED,
    INVALID_JSON,
    HOST_NOT_ALLOWED,
    UNSUPPORTED_ENCODING,
    MIGRATIONS_MISSING,
)


def framework_error(status: int) -> FrameworkError:
    """Return the error for a status; for one without an error of its own, the one for 400 or 500."""
    return _BY_STATUS.get(status) or (INVALID_REQUEST if status < 500 else INTERNAL_ERROR)
