"""Refuses a body that is too large before anything else looks at the request."""

import io
from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from rest_framework.views import APIView

from config.exceptions import payload_too_large, unreadable_body
from config.request_bodies import declared_length, is_broken, limit_for


class RequestBodyLimit:
    """A middleware that knows how much each caller may send.

    REST framework's views are left to their parser, which knows the caller by then: a bearer is
    judged before the body is read. A view that says `refuses_large_bodies` words its own refusals.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_broken(request):
            return unreadable_body(request)
        limit = settings.MAX_REQUEST_BYTES if _says_who_asks(request) else limit_for(None)
        if declared_length(request) > limit and (refusal := _refuse(request, _view_at(request.path_info), limit)):
            return refusal
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        """Apply the limit of the logged-in person to pages, before the CSRF check reads the form."""
        length = declared_length(request)
        if length <= limit_for(None) or issubclass(getattr(view, "cls", object), APIView):
            return None
        limit = limit_for(request.user)
        return _refuse(request, view, limit) if length > limit else None


def _says_who_asks(request: HttpRequest) -> bool:
    return "HTTP_AUTHORIZATION" in request.META or settings.SESSION_COOKIE_NAME in request.COOKIES


def _view_at(path: str) -> Any:
    try:
        return resolve(path).func
    except Resolver404:
        return None


def _refuse(request: HttpRequest, view: Any, limit: int) -> HttpResponse | None:
    """Return the refusal, or None after making the body unreadable for a view that words its own."""
    if not getattr(getattr(view, "view_class", None), "refuses_large_bodies", False):
        return payload_too_large(request, limit)
    request._stream = _TooLarge()  # type: ignore[assignment]  # no stream is wanted
    return None


class _TooLarge(io.RawIOBase):
    """What stands in place of a body that nothing may read."""

    def readable(self) -> bool:
        """Return True: it is for readers."""
        return True

    def readinto(self, _: Any) -> NoReturn:
        """Raise RequestDataTooBig."""
        raise RequestDataTooBig
