"""Turns every failure into the one error body of the API; the only place that knows both sides.

Domain errors know no HTTP and views know no error bodies: `STATUS` joins them. A class that is
not listed takes the status of the nearest class above it.
"""

import logging
import sys
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from authn import audit, token_refusals
from authn import errors as authn
from authn.database.failures import is_database_failure
from authn.principals import Principal
from authn.web.client_address import client_address
from authn.web.request_id import request_id_of
from config.error_pages import error_page, wants_page
from orgs import errors as orgs
from orgs.credentials import errors as credentials
from orgs.usernames import is_username_like
from sandboxes import errors as sandboxes

logger = logging.getLogger("frontdesk.errors")

STATUS: dict[type[Exception], HTTPStatus] = {
    authn.BearerRefused: HTTPStatus.UNAUTHORIZED,
    authn.LoginRefused: HTTPStatus.UNAUTHORIZED,
    authn.RefreshRefused: HTTPStatus.UNAUTHORIZED,
    authn.TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    authn.LoginBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    authn.LinkRefused: HTTPStatus.GONE,
    authn.ContinuationRefused: HTTPStatus.BAD_REQUEST,
    authn.ForeignOrigin: HTTPStatus.FORBIDDEN,
    authn.AuditUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    authn.TokenNotFound: HTTPStatus.NOT_FOUND,
    authn.LastOwner: HTTPStatus.CONFLICT,
    orgs.OrgNotFound: HTTPStatus.NOT_FOUND,
    orgs.NoDefaultDevHub: HTTPStatus.NOT_FOUND,
    orgs.AmbiguousSandbox: HTTPStatus.CONFLICT,
    orgs.HasChildren: HTTPStatus.CONFLICT,
    orgs.InvalidRequest: HTTPStatus.BAD_REQUEST,
    orgs.NoAuthUrl: HTTPStatus.BAD_REQUEST,
    orgs.CredentialsForbidden: HTTPStatus.FORBIDDEN,
    orgs.AuthUrlReleaseOff: HTTPStatus.FORBIDDEN,
    credentials.DeskSealed: HTTPStatus.SERVICE_UNAVAILABLE,
    credentials.SpoolUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    orgs.CredentialRotates: HTTPStatus.CONFLICT,
    orgs.OrgUnverified: HTTPStatus.CONFLICT,
    credentials.CredentialTampered: HTTPStatus.CONFLICT,
    credentials.GrantRefused: HTTPStatus.CONFLICT,
    credentials.SandboxNotFound: HTTPStatus.NOT_FOUND,
    credentials.CredentialRefused: HTTPStatus.CONFLICT,
    credentials.OrgGone: HTTPStatus.GONE,
    credentials.SalesforceRefused: HTTPStatus.BAD_GATEWAY,
    credentials.SalesforceLimited: HTTPStatus.TOO_MANY_REQUESTS,
    credentials.SalesforceUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    credentials.SalesforceTimedOut: HTTPStatus.GATEWAY_TIMEOUT,
    sandboxes.NotFound: HTTPStatus.NOT_FOUND,
    sandboxes.Ambiguous: HTTPStatus.CONFLICT,
    sandboxes.SearchIncomplete: HTTPStatus.SERVICE_UNAVAILABLE,
    sandboxes.FrontdoorNotAllowed: HTTPStatus.FORBIDDEN,
    sandboxes.PoolNotAssigned: HTTPStatus.FORBIDDEN,
    sandboxes.AssignedInOtherPool: HTTPStatus.CONFLICT,
    sandboxes.PoolEmpty: HTTPStatus.CONFLICT,
    sandboxes.InstanceExpired: HTTPStatus.GONE,
    sandboxes.InstanceProvisioning: HTTPStatus.SERVICE_UNAVAILABLE,
    sandboxes.ScratchOrgExpired: HTTPStatus.GONE,
    sandboxes.ScratchOrgMismatch: HTTPStatus.CONFLICT,
    sandboxes.ScratchKeyRefused: HTTPStatus.CONFLICT,
}

# Framework errors: what happened is theirs to say, what to do is ours.
_ACTIONS: dict[int, tuple[str, str]] = {
    400: ("INVALID_REQUEST", "Correct the request and send it again."),
    401: ("NOT_AUTHENTICATED", "Send `Authorization: Bearer <token>`; log in at /sfp/api/auth/admin/login."),
    403: ("FORBIDDEN", "Ask an owner of this desk."),
    404: ("NOT_FOUND", "Check the address; /sfp/api/docs lists every route. There is no trailing slash."),
    405: ("METHOD_NOT_ALLOWED", "Use one of the methods in the Allow header."),
    413: ("PAYLOAD_TOO_LARGE", "Send a smaller body."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send JSON with `Content-Type: application/json`."),
    429: ("TOO_MANY_REQUESTS", "Wait as long as Retry-After says, then try again."),
    500: ("INTERNAL_ERROR", "Try again; if it stays, give the requestId to whoever runs this desk."),
    503: ("DATABASE_UNAVAILABLE", "Try again after a few seconds."),
}
_NO_DATABASE = "The desk's database cannot be reached, is busy, or takes no writes."
_RETRY_DATABASE = "5"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Build the answer for an error that a view raised. REST framework calls this.

    Returns None for an error that nobody foresaw: it is logged and answered by `server_error`.
    """
    request = context["request"]
    answer = _domain_response(error, request) or _framework_response(error, request)
    if answer is not None and answer.status_code in (401, 403):
        try:
            _audit_refusal(error, request, answer)
        except authn.AuditUnavailable as failure:
            return _domain_response(failure, request)
        except Error as failure:  # Whatever it is: raised from here, it would pass by this handler.
            return _database_response(failure, request)
    return answer


def body(
    request: Any,
    status: int,
    *,
    code: str,
    message: str,
    action: str,
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Return the error body of design section 7."""
    return {
        "statusCode": status,
        "error": HTTPStatus(status).phrase,
        "code": code,
        "message": message,
        "action": action,
        "requestId": request_id_of(request),
        **({"errors": errors} if errors else {}),
    }


def status_of(error: Exception) -> HTTPStatus | None:
    """Return the status of a domain error, None for any other."""
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), None)


def _domain_response(error: Exception, request: Any) -> Response | None:
    status = status_of(error)
    if status is None:
        return None
    content = body(
        request,
        status,
        code=getattr(error, "code", ""),
        message=str(error),
        action=getattr(error, "action", ""),
    )
    if isinstance(error, authn.LoginRefused | authn.TooManyTries | authn.LoginBusy):
        # The documented log-in answer carries these two, and its clients read them.
        content |= {"success": False, "error": str(error)}
    headers: dict[str, str] = {}
    if retry_after := getattr(error, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="frontdesk"'
    return Response(content, status=status, headers=headers)


def _framework_response(error: Exception, request: Any) -> Response | None:
    if isinstance(error, Http404):
        error = drf.NotFound("Nothing is here.")
    elif isinstance(error, DjangoPermissionDenied):
        error = drf.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        return Response(_framework_body(request, 413, "The request body is too large."), status=413)
    elif is_database_failure(error):
        return _database_response(error, request)
    if not isinstance(error, drf.APIException):
        return None
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait)))
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    return Response(_exception_body(request, error), status=error.status_code, headers=headers)


def _database_response(error: Exception, request: Any) -> Response:
    logger.error("The database refused a request.", exc_info=error)
    content = _framework_body(request, 503, _NO_DATABASE)
    return Response(content, status=503, headers={"Retry-After": _RETRY_DATABASE})


def _exception_body(request: Any, error: drf.APIException) -> dict[str, Any]:
    if isinstance(error, drf.ValidationError):
        fields = list(_flatten(error.get_full_details()))
        message = " ".join(
            f"{field['field']}: {field['message']}" if field["field"] else field["message"] for field in fields
        )
        action = "Correct the fields named in `errors` and send the request again."
        return body(request, 400, code="VALIDATION_FAILED", message=message, action=action, errors=fields)
    if isinstance(error, drf.ParseError):
        return body(request, 400, code="INVALID_JSON", message=str(error.detail), action=_ACTIONS[400][1])
    content = _framework_body(request, error.status_code, str(error.detail))
    if isinstance(error, drf.PermissionDenied) and error.get_codes() == "ROLE_REQUIRED":
        content["code"] = "ROLE_REQUIRED"
    return content


def _framework_body(request: Any, status: int, message: str) -> dict[str, Any]:
    code, action = _ACTIONS.get(status, _ACTIONS[400 if status < 500 else 500])
    return body(request, status, code=code, message=message, action=action)


def _flatten(details: Any, field: str = "") -> Any:
    """Walk REST framework's nested error details and yield one {field, code, message} for each."""
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {"field": field, "code": str(details["code"]), "message": str(details["message"])}
    elif isinstance(details, dict):
        for name, inner in details.items():
            name = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, f"{field}.{name}".strip("."))
    elif isinstance(details, list):
        for inner in details:
            yield from _flatten(inner, field)


def _audit_refusal(error: Exception, request: Any, answer: Response) -> None:
    """Record who was refused what. A token that proves no live principal is counted, or left to the log."""
    if isinstance(error, authn.LoginRefused | authn.RefreshRefused):
        return  # authn.login has recorded those of which it knows whose they are.
    actor = request.user if _was_authenticated(request) else None
    code = answer.data["code"] if answer.data else ""
    method, view = request.method, type(getattr(request, "parser_context", {}).get("view")).__name__
    if isinstance(error, authn.BearerRefused) and error.holder is not None:
        holder = replace(error.holder, address=client_address(request), request_id=request_id_of(request))
        token_refusals.note(audit.Action.REQUEST, by=holder, code=code, method=method, view=view)
    elif isinstance(actor, Principal) and actor.is_authenticated:
        named = str(request.query_params.get("username", ""))
        audit.record(
            audit.Action.REQUEST,
            audit.Outcome.REFUSED,
            by=actor,
            code=code,
            org=getattr(error, "refused_org", named if is_username_like(named) else ""),
            method=method,
            view=view,
        )
    else:
        logger.info("Refused %s %s: %s", method, view, code)


def _was_authenticated(request: Any) -> bool:
    """Tell whether authentication ran through; asking again after it failed would raise."""
    return getattr(request, "_user", None) is not None


def _page(request: HttpRequest, status: int, message: str, *, to_people: str = "") -> HttpResponse:
    """Answer JSON, or a page to a person at a browser, whom `to_people` tells what to do."""
    content = _framework_body(request, status, message)
    if wants_page(request):
        return error_page(status, content, to_people, request if status == 503 else None)
    return JsonResponse(content, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refused: a foreign Host header, a malformed request."""
    if isinstance(exception, RequestDataTooBig):
        return _page(request, 413, "The request body is too large.")
    known = isinstance(exception, SuspiciousOperation)
    return _page(request, 400, "The request was refused as malformed." if known else "Bad request.")


def payload_too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """Refuse a body that is larger than this caller may send."""
    return _page(request, 413, f"The request body is larger than {limit} bytes.")


def unreadable_body(request: HttpRequest) -> HttpResponse:
    """Refuse a chunked body that is malformed or cut off."""
    return _page(request, 400, "The request body does not come as its headers say.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token."""
    todo = "Go back, load the page again and send the form once more. Cookies must be allowed for this desk."
    return _page(request, 403, "The form was not sent from one of our pages, or is too old.", to_people=todo)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a refusal outside the API."""
    return _page(request, 403, str(exception) or "You may not do this.")


def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """Answer a method that a page outside the API has not."""
    response = _page(request, 405, "This address has no such method.")
    response["Allow"] = allowed
    return response


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown address."""
    return _page(request, 404, "Nothing is here.")


def database_unavailable(request: HttpRequest) -> HttpResponse:
    """Answer a failure of the database outside the API."""
    response = _page(request, 503, _NO_DATABASE)
    response["Retry-After"] = _RETRY_DATABASE
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an error that no view handles, such as one in a middleware. Django logs it; no text of it gets out."""
    error = sys.exception()
    if error is not None and is_database_failure(error):
        return database_unavailable(request)
    return _page(request, 500, "Something went wrong on our side.")
