"""The JSON body of every error response: what happened, what to do, and the request's id."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import NotRequired, TypedDict

from django.http import HttpRequest
from rest_framework import exceptions as drf
from rest_framework.request import Request

from authn.errors import DomainError
from authn.web.request_id import request_id_of

DATABASE_UNAVAILABLE = "The desk's database is unreachable, busy or read-only."
DATABASE_RETRY_SECONDS = "5"

# Code and action of the errors that Django and REST framework raise; the message is theirs.
FRAMEWORK_ERRORS: dict[int, tuple[str, str]] = {
    400: ("INVALID_REQUEST", "Correct the request and send it again."),
    401: ("NOT_AUTHENTICATED", "Send `Authorization: Bearer <token>`; log in at /sfp/api/auth/admin/login."),
    403: ("FORBIDDEN", "Ask an owner of this desk."),
    404: ("NOT_FOUND", "Check the address; /sfp/api/docs lists every route. There is no trailing slash."),
    405: ("METHOD_NOT_ALLOWED", "Use one of the methods in the Allow header."),
    413: ("PAYLOAD_TOO_LARGE", "Send a smaller body."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send JSON with `Content-Type: application/json`."),
    429: ("TOO_MANY_REQUESTS", "Wait as long as Retry-After says, then try again."),
    500: ("INTERNAL_ERROR", "Try again. If the error persists, give the requestId to the operator of this desk."),
    503: ("DATABASE_UNAVAILABLE", "Try again after a few seconds."),
}


class FieldError(TypedDict):
    """One rejected field of a request."""

    field: str
    code: str
    message: str


class ErrorBody(TypedDict):
    """The body of an error response. `success` and `error` are the documented fields of a refused log-in."""

    statusCode: int
    error: str
    code: str
    message: str
    action: str
    requestId: str
    errors: NotRequired[list[FieldError]]
    success: NotRequired[bool]


def error_body(
    request: HttpRequest | Request,
    status: int,
    *,
    code: str,
    message: str,
    action: str,
    errors: list[FieldError] | None = None,
) -> ErrorBody:
    """Return the error body for a status; `errors` are the rejected fields, if any."""
    content: ErrorBody = {
        "statusCode": status,
        "error": HTTPStatus(status).phrase,
        "code": code,
        "message": message,
        "action": action,
        "requestId": request_id_of(request),
    }
    if errors:
        content["errors"] = errors
    return content


def domain_body(request: HttpRequest | Request, status: int, error: DomainError) -> ErrorBody:
    """Return the error body for a domain error."""
    return error_body(request, status, code=error.code, message=str(error), action=error.action)


def framework_body(request: HttpRequest | Request, status: int, message: str) -> ErrorBody:
    """Return the error body for an error that is known by its status alone."""
    code, action = FRAMEWORK_ERRORS.get(status, FRAMEWORK_ERRORS[400 if status < 500 else 500])
    return error_body(request, status, code=code, message=message, action=action)


def api_exception_body(request: Request, error: drf.APIException) -> ErrorBody:
    """Return the error body for an exception of REST framework."""
    if isinstance(error, drf.ValidationError):
        return _validation_body(request, error)
    if isinstance(error, drf.ParseError):
        action = FRAMEWORK_ERRORS[400][1]
        return error_body(request, 400, code="INVALID_JSON", message=str(error.detail), action=action)
    content = framework_body(request, error.status_code, str(error.detail))
    if isinstance(error, drf.PermissionDenied) and error.get_codes() == "ROLE_REQUIRED":
        content["code"] = "ROLE_REQUIRED"
    return content


def _validation_body(request: Request, error: drf.ValidationError) -> ErrorBody:
    fields = list(_field_errors(error.get_full_details()))
    message = " ".join(
        f"{field['field']}: {field['message']}" if field["field"] else field["message"] for field in fields
    )
    action = "Correct the fields named in `errors` and send the request again."
    return error_body(request, 400, code="VALIDATION_FAILED", message=message, action=action, errors=fields)


def _field_errors(details: object, field: str = "") -> Iterator[FieldError]:
    """Walk REST framework's nested error details and yield one row for each."""
    if isinstance(details, Mapping) and set(details) == {"message", "code"}:
        yield {"field": field, "code": str(details["code"]), "message": str(details["message"])}
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            name = "" if name == "non_field_errors" else str(name)
            yield from _field_errors(inner, f"{field}.{name}".strip("."))
    elif isinstance(details, list):
        for inner in details:
            yield from _field_errors(inner, field)
