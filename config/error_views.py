"""The responses to errors outside the API's views: JSON for programs, a page for browsers.

config/urls.py names them as Django's handlers, and the middleware calls them.
"""

import sys

from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse

from authn.database.failures import is_database_failure
from authn.web.refused_hosts import log_refused_host, name_to_show
from config.error_bodies import DATABASE_RETRY_SECONDS, ErrorBody, database_error, exact_body, framework_body
from config.error_pages import error_page, wants_page
from config.framework_errors import HOST_NOT_ALLOWED, UNSUPPORTED_ENCODING, framework_error


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for what Django itself refused, such as a foreign Host header; 413 for a body that is too large."""
    if isinstance(exception, RequestDataTooBig):
        return _respond(request, 413)
    if isinstance(exception, DisallowedHost):
        return _host_not_allowed(request)
    is_malformed = isinstance(exception, SuspiciousOperation)
    return _respond(request, 400, "The request is malformed." if is_malformed else "")


def payload_too_large(request: HttpRequest, limit: int) -> HttpResponse:
    """Return 413 for a body that is larger than the caller may send."""
    return _respond(request, 413, f"The request body is larger than {limit} bytes.")


def unreadable_body(request: HttpRequest) -> HttpResponse:
    """Return 400 for a chunked body that is malformed or cut off."""
    return _respond(request, 400, "The request body does not match its headers.")


def encoded_body(request: HttpRequest) -> HttpResponse:
    """Return 415 for a body with a Content-Encoding."""
    response = _response(request, exact_body(request, UNSUPPORTED_ENCODING), UNSUPPORTED_ENCODING.page_action)
    response["Accept-Encoding"] = "identity"
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return 403 for a form without a valid CSRF token."""
    action = "Go back, reload the page and send the form again. Cookies must be allowed for this desk."
    return _respond(request, 403, "The form was not sent from this desk, or has expired.", page_action=action)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 403 for a refusal outside the API."""
    return _respond(request, 403, str(exception))


def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    """Return 405 for a page outside the API; `allowed` is the value of the Allow header."""
    response = _respond(request, 405)
    response["Allow"] = allowed
    return response


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404."""
    return _respond(request, 404)


def database_unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Return 503 for a failure of the database outside the API."""
    failure = database_error(error)
    response = _response(request, exact_body(request, failure), failure.page_action)
    response["Retry-After"] = DATABASE_RETRY_SECONDS
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 500 for an unexpected exception, without its text, which Django logs; 503 if the database failed."""
    error = sys.exception()
    if error is not None and is_database_failure(error):
        return database_unavailable(request, error)
    return _respond(request, 500)


def _respond(request: HttpRequest, status: int, message: str = "", *, page_action: str = "") -> HttpResponse:
    """Return the response for an error that is known by its status. The texts replace those of the status."""
    return _response(
        request, framework_body(request, status, message), page_action or framework_error(status).page_action
    )


def _host_not_allowed(request: HttpRequest) -> HttpResponse:
    """Return 400, and name the refused host in the log and to clients on this machine."""
    log_refused_host(request)
    name = name_to_show(request)
    message = f"{name} is not in ALLOWED_HOSTS of this desk." if name else ""
    return _response(request, exact_body(request, HOST_NOT_ALLOWED, message), HOST_NOT_ALLOWED.page_action)


def _response(request: HttpRequest, content: ErrorBody, page_action: str) -> HttpResponse:
    """Return an error body as JSON to a program, or as a page to a browser."""
    status = content["statusCode"]
    if wants_page(request):
        content["action"] = page_action
        return error_page(status, content, request if status == 503 else None)
    return JsonResponse(content, status=status)
