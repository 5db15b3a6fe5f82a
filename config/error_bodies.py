"""The JSON body of every error response: what happened, what to do, and the request's id."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import NotRequired, TypedDict

from django.http import HttpRequest
from rest_framework import exceptions as drf
from rest_framework.request import Request

from authn.database.failures import is_schema_behind
from authn.errors import DomainError, RoleRequired
from authn.web.request_id import request_id_of
from config.framework_errors import (
    DATABASE_UNAVAILABLE,
    INVALID_JSON,
    MIGRATIONS_MISSING,
    VALIDATION_FAILED,
    FrameworkError,
    framework_error,
)

DATABASE_RETRY_SECONDS = "5"


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
) -> ErrorBody:
    """Return the error body for a status."""
    return {
        "statusCode": status,
        "error": HTTPStatus(status).phrase,
        "code": code,
        "message": message,
        "action": action,
        "requestId": request_id_of(request),
    }


def domain_body(request: HttpRequest | Request, status: int, error: DomainError) -> ErrorBody:
    """Return the error body for a domain error."""
    return error_body(request, status, code=error.code, message=str(error), action=error.action)


def framework_body(request: HttpRequest | Request, status: int, message: str = "") -> ErrorBody:
    """Return the error body for an error that is known by its status alone; `message` replaces the usual one."""
    return _body_of(request, framework_error(status), status, message)


def api_exception_body(request: Request, error: drf.APIException) -> ErrorBody:
    """Return the error body for an exception of REST framework."""
    message = str(error.detail)
    if isinstance(error, drf.ValidationError):
        return _validation_body(request, error)
    if isinstance(error, drf.ParseError):
        return _body_of(request, INVALID_JSON, INVALID_JSON.status, message)
    if isinstance(error, drf.PermissionDenied) and error.get_codes() == RoleRequired.code:
        status = error.status_code
        return error_body(request, status, code=RoleRequired.code, message=message, action=RoleRequired.action)
    return framework_body(request, error.status_code, message)


def database_error(error: BaseException | None) -> FrameworkError:
    """Return the framework error for a failure of the database."""
    return MIGRATIONS_MISSING if error is not None and is_schema_behind(error) else DATABASE_UNAVAILABLE


def exact_body(request: HttpRequest | Request, error: FrameworkError, message: str = "") -> ErrorBody:
    """Return the error body for a framework error; `message` replaces the usual one."""
    return _body_of(request, error, error.status, message)


def _body_of(request: HttpRequest | Request, error: FrameworkError, status: int, message: str) -> ErrorBody:
    return error_body(request, status, code=error.code, message=message or error.message, action=error.action)


def _validation_body(request: Request, error: drf.ValidationError) -> ErrorBody:
    fields = list(_field_errors(error.get_full_details()))
    message = " ".join(
        f"{field['field']}: {field['message']}" if field["field"] else field["message"] for field in fields
    )
    content = _body_of(request, VALIDATION_FAILED, VALIDATION_FAILED.status, message)
    if fields:
        content["errors"] = fields
    return content


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
