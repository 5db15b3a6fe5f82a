"""Turns what a page raises into a page that says what happened and what to do."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from authn import audit
from authn.actors import actor_for
from authn.models import User
from config.error_pages import error_page
from config.errors import body, method_not_allowed, status_of


class DomainErrorsOfPages:
    """A middleware for the pages' own errors; REST framework has a way of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):  # Django's own has no body.
            return method_not_allowed(request, response["Allow"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page of an error that is listed in STATUS, and record who was refused."""
        status = status_of(exception)
        if status is None:
            return None
        code = getattr(exception, "code", "")
        action = getattr(exception, "page_action", "") or getattr(exception, "action", "")
        content = body(request, status, code=code, message=str(exception), action=action)
        if status == HTTPStatus.FORBIDDEN and isinstance(request.user, User):
            by = actor_for(request.user, request)
            facts = {"org": getattr(exception, "refused_org", ""), "code": code, "method": request.method}
            audit.record(audit.Action.REQUEST, audit.Outcome.REFUSED, by=by, **facts)
        answer = error_page(status, content, content["action"], request)
        if retry_after := getattr(exception, "retry_after", None):
            answer["Retry-After"] = str(retry_after)
        return answer
