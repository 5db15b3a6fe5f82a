"""The desk's own middleware, outermost first, as `settings.MIDDLEWARE` orders it.

- ResponseHeadersMiddleware: the request's id, and no caching
- RequestBodyLimit: a size limit for bodies, before anything reads them, and no Content-Encoding
- SupportedMethods: 405 for API routes before authentication
- SafePages: escapes control and direction characters in HTML
- PageExceptions: domain errors of pages become error pages

The probes have theirs in health.py.
"""

import io
import logging
import re
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.cache import patch_vary_headers
from rest_framework.views import APIView

from authn import audit
from authn.database.failures import is_database_failure
from authn.errors import AuditUnavailable, DomainError
from authn.models import User
from authn.principals import principal_for
from authn.web.request_id import give_request_id
from authn.web.safe_text import escaped
from config.error_bodies import error_body
from config.error_pages import error_page
from config.error_statuses import status_of
from config.error_views import (
    database_unavailable,
    encoded_body,
    method_not_allowed,
    payload_too_large,
    unreadable_body,
)
from config.request_bodies import declared_length, is_broken, is_encoded, limit_for

logger = logging.getLogger("frontdesk.errors")

GetResponse = Callable[[HttpRequest], HttpResponseBase]
View = Callable[..., HttpResponseBase]

_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z", re.ASCII)


class ResponseHeadersMiddleware:
    """Gives each request an id, and each response the headers that keep it out of caches and Referer headers.

    A well-formed `X-Request-Id` of the caller is kept, so that a CI job can find its own request again;
    anything else is replaced. Static files keep their own caching headers.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent_id = request.headers.get("X-Request-Id", "")
        request_id = sent_id if _WELL_FORMED_ID.match(sent_id) else uuid.uuid4().hex
        give_request_id(request, request_id)
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        # A page with a form must not send no-referrer: browsers then send `Origin: null`, which the CSRF check
        # cannot distinguish from a foreign page. Either policy sends nothing to other hosts.
        # A redirect is not a page, though Django labels its empty body as HTML.
        is_page = response.get("Content-Type", "").startswith("text/html") and "Location" not in response
        response["Referrer-Policy"] = "same-origin" if is_page else "no-referrer"
        if not request.path_info.startswith(f"/{settings.STATIC_URL.lstrip('/')}"):
            response["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["Authorization"])
        return response


class RequestBodyLimit:
    """Limits the size of request bodies by caller, before the body is read.

    REST framework's views enforce their limit in the parser, which runs after authentication. A view with
    `refuses_bodies` responds itself to a body that is too large or encoded.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_broken(request):
            return unreadable_body(request)
        limit = settings.MAX_REQUEST_BYTES if _has_credentials(request) else limit_for(None)
        if declared_length(request) > limit and (refusal := _refuse(request, _view_at(request.path_info), limit)):
            return refusal
        if is_encoded(request) and not _refuses_bodies(_view_at(request.path_info)):
            return encoded_body(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, *_: object) -> HttpResponse | None:
        """Apply the logged-in user's limit to pages, before the CSRF check reads the form."""
        length = declared_length(request)
        if length <= limit_for(None) or issubclass(getattr(view, "cls", object), APIView):
            return None
        limit = limit_for(request.user)
        return _refuse(request, view, limit) if length > limit else None


def _has_credentials(request: HttpRequest) -> bool:
    return "HTTP_AUTHORIZATION" in request.META or settings.SESSION_COOKIE_NAME in request.COOKIES


def _view_at(path: str) -> View | None:
    try:
        return resolve(path).func
    except Resolver404:
        return None


def _refuse(request: HttpRequest, view: View | None, limit: int) -> HttpResponse | None:
    """Return 413, or None after making the body unreadable for a view that responds itself."""
    if not _refuses_bodies(view):
        return payload_too_large(request, limit)
    request._stream = _UnreadableBody()  # type: ignore[assignment]  # Django expects a LimitedStream
    return None


def _refuses_bodies(view: View | None) -> bool:
    return bool(getattr(getattr(view, "view_class", None), "refuses_bodies", False))


class _UnreadableBody(io.RawIOBase):
    """Replaces a body that must not be read."""

    def readable(self) -> bool:
        """Return True, as a stream for readers does."""
        return True

    def readinto(self, _: object) -> NoReturn:
        """Raise RequestDataTooBig."""
        raise RequestDataTooBig


class SupportedMethods:
    """Returns 405 for a method that an API route does not have, before authentication and permission checks.

    A caller that sends GET to a POST route would otherwise be told that its role is wrong.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: View, *_: object) -> HttpResponse | None:
        """Return 405 if the view is an API view without the method."""
        cls = getattr(view, "cls", None)
        if not isinstance(cls, type) or not issubclass(cls, APIView):
            return None
        named: Iterable[str] = getattr(view, "actions", None) or filter(partial(hasattr, cls), cls.http_method_names)
        methods = {method.upper() for method in named} | {"OPTIONS"}
        methods |= {"HEAD"} if "GET" in methods else set()
        return None if request.method in methods else method_not_allowed(request, ", ".join(sorted(methods)))


class SafePages:
    """Escapes unsafe characters in HTML: none of our own templates holds one.

    Forms refuse unsafe text. Text from elsewhere, such as a link, a search or a row of an older version,
    reaches pages in too many places to be escaped at each.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
            page = response.content.decode(errors="replace")
            safe = escaped(page, lines=True)
            if safe != page:
                response.content = safe.encode()
        return response


class PageExceptions:
    """Turns the domain errors of pages into error pages; the API has config.exceptions."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):  # Django's own has no body.
            return method_not_allowed(request, response["Allow"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for a domain error or a database failure, None for any other; audit a 403."""
        if is_database_failure(exception):
            logger.error("The database refused a request.", exc_info=exception)
            return database_unavailable(request, exception)
        if not isinstance(exception, DomainError):
            return None
        error = exception
        if status_of(error) == HTTPStatus.FORBIDDEN and isinstance(request.user, User):
            try:
                _audit_refusal(request, request.user, error)
            except AuditUnavailable as failure:
                error = failure
        status = status_of(error)
        return None if status is None else _page_of(request, error, status)


def _page_of(request: HttpRequest, error: DomainError, status: HTTPStatus) -> HttpResponse:
    content = error_body(request, status, code=error.code, message=str(error), action=error.page_action)
    response = error_page(status, content, request)
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return response


def _audit_refusal(request: HttpRequest, user: User, error: DomainError) -> None:
    audit.record(
        audit.Action.REQUEST,
        audit.Outcome.REFUSED,
        by=principal_for(user, request),
        target=error.refused,
        code=error.code,
        method=request.method,
    )
