"""Turns what a page raises into a page that says what happened and what to do."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from authn import audit
from authn.database.failures import is_database_failure
from authn.errors import AuditUnavailable
from authn.models import User
from authn.principals import principal_for
from config.error_pages import error_page
from config.exceptions import body, database_unavailable, method_not_allowed, status_of

logger = logging.getLogger("frontdesk.errors")


class PageExceptions:
    """A middleware for the pages' own errors; REST framework has a way of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):  # Django's own has no body.
            return method_not_allowed(request, response["Allow"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page of an error that is listed in STATUS, or of the database; record who was refused."""
        if is_database_failure(exception):
            logger.error("The database refused a request.", exc_info=exception)
            return database_unavailable(request)
        if status_of(exception) == HTTPStatus.FORBIDDEN and isinstance(request.user, User):
            try:
                _audit_refusal(request, request.user, exception)
            except AuditUnavailable as failure:
                exception = failure
        status = status_of(exception)
        return None if status is None else _page_of(request, exception, status)


def _page_of(request: HttpRequest, error: Exception, status: HTTPStatus) -> HttpResponse:
    action = getattr(error, "page_action", "") or getattr(error, "action", "")
    content = body(request, status, code=getattr(error, "code", ""), message=str(error), action=action)
    answer = error_page(status, content, action, request)
    if retry_after := getattr(error, "retry_after", None):
        answer["Retry-After"] = str(retry_after)
    return answer


def _audit_refusal(request: HttpRequest, user: User, error: Exception) -> None:
    facts = {"org": getattr(error, "refused_org", ""), "code": getattr(error, "code", ""), "method": request.method}
    audit.record(audit.Action.REQUEST, audit.Outcome.REFUSED, by=principal_for(user, request), **facts)
