"""REST framework's exception handler: every error of the API becomes one JSON body, and refusals are audited.

- error_statuses: the HTTP status of each domain error
- error_bodies: the JSON body
- error_views, middleware: the same for Django's own errors and for pages
"""

import logging
from dataclasses import replace
from http import HTTPStatus
from typing import TypedDict

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.db import Error
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authn import audit, token_refusals
from authn.database.failures import is_database_failure
from authn.errors import (
    AuditUnavailable,
    BearerRefused,
    DomainError,
    LoginBusy,
    LoginRefused,
    RefreshRefused,
    TooManyTries,
)
from authn.principals import Principal
from authn.web.client_address import client_address
from authn.web.request_id import request_id_of
from authn.web.secret_text import is_marked_secret
from config.error_bodies import (
    DATABASE_RETRY_SECONDS,
    api_exception_body,
    database_error,
    domain_body,
    exact_body,
    framework_body,
)
from config.error_statuses import status_of
from config.framework_errors import NOT_FOUND
from orgs.usernames import is_username_like

logger = logging.getLogger("frontdesk.errors")


class HandlerContext(TypedDict):
    """What REST framework passes with an exception; `args` and `kwargs` of the view are not used here."""

    view: APIView
    request: Request


def exception_handler(error: Exception, context: HandlerContext) -> Response | None:
    """Return the response for an exception that an API view raised.

    Returns None for an unexpected exception: Django logs it, and `error_views.server_error` responds.
    """
    request = context["request"]
    response = _domain_response(error, request) if isinstance(error, DomainError) else None
    response = response or _framework_response(error, request)
    if response is not None and response.status_code in (401, 403):
        try:
            _audit_refusal(error, context, response)
        except AuditUnavailable as failure:
            return _domain_response(failure, request)
        except Error as failure:  # Raised from here, it would bypass this handler.
            return _database_response(failure, request)
    return response


def _domain_response(error: DomainError, request: Request) -> Response | None:
    status = status_of(error)
    if status is None:
        return None
    content = domain_body(request, status, error)
    if isinstance(error, LoginRefused | TooManyTries | LoginBusy):
        # Fields of the documented log-in response, which its clients read.
        content["success"] = False
        content["error"] = str(error)
    headers: dict[str, str] = {}
    if error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="frontdesk"'
    return Response(content, status=status, headers=headers)


def _framework_response(error: Exception, request: Request) -> Response | None:
    if isinstance(error, Http404):
        error = drf.NotFound(NOT_FOUND.message)
    elif isinstance(error, DjangoPermissionDenied):
        error = drf.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        return Response(framework_body(request, 413), status=413)
    elif is_database_failure(error):
        return _database_response(error, request)
    if not isinstance(error, drf.APIException):
        return None
    headers: dict[str, str] = {}
    # REST framework sets these two on the exceptions of throttles and of authentication.
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait)))
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(auth_header)
    return Response(api_exception_body(request, error), status=error.status_code, headers=headers)


def _database_response(error: Exception, request: Request) -> Response:
    logger.error("The database refused a request.", exc_info=error)
    content = exact_body(request, database_error(error))
    return Response(content, status=503, headers={"Retry-After": DATABASE_RETRY_SECONDS})


def _audit_refusal(error: Exception, context: HandlerContext, response: Response) -> None:
    """Record who was refused what. Refusals of tokens without a live principal are counted, or logged only."""
    if isinstance(error, LoginRefused | RefreshRefused):
        return  # Recorded by authn.login, where the user is known.
    request = context["request"]
    actor: object = request.user if _was_authenticated(request) else None
    code = response.data["code"] if response.data else ""
    method, view = request.method or "", type(context["view"]).__name__
    if isinstance(error, BearerRefused) and error.holder is not None:
        holder = replace(error.holder, address=client_address(request), request_id=request_id_of(request))
        token_refusals.count(audit.Action.REQUEST, by=holder, code=code, method=method, view=view)
    elif isinstance(actor, Principal) and actor.is_authenticated:
        target = _refused_target(error, request)
        audit.record(
            audit.Action.REQUEST, audit.Outcome.REFUSED, by=actor, target=target, code=code, method=method, view=view
        )
    else:
        logger.info("Refused %s %s: %s", method, view, code)


def _refused_target(error: Exception, request: Request) -> audit.Target | None:
    """Return the target that the error names, else the org in the query."""
    if isinstance(error, DomainError) and error.refused is not None:
        return error.refused
    named = str(request.query_params.get("username", ""))
    # Of a token the audit keeps the fingerprint; of an auth URL nothing.
    is_token = is_marked_secret(named) and "://" not in named
    return audit.org_named(named) if is_username_like(named) or is_token else None


def _was_authenticated(request: Request) -> bool:
    """Return True if authentication has finished; reading `request.user` after it failed would raise again."""
    return getattr(request, "_user", None) is not None
