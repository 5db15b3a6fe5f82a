"""What every answer carries, whichever view or failure made it: its id, and orders not to keep it."""

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer

from authn.web.request_id import give_request_id

_WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z", re.ASCII)


class ResponseHeadersMiddleware:
    """Give each request an id, and each answer the headers of design section 6.

    A well-formed `X-Request-Id` of the caller is kept, so that a CI job can find its own request
    again; anything else is replaced. Static files keep the caching headers of their own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        submitted_auth_url = request.headers.get("X-Request-Id", "")
        request_id = submitted_auth_url if _WELL_FORMED_ID.match(submitted_auth_url) else uuid.uuid4().hex
        give_request_id(request, request_id)
        response = self.get_response(request)
        response["X-Request-Id"] = request_id
        # A page with a form must not say no-referrer: browsers then send `Origin: null`, which the CSRF check
        # cannot tell from a foreign page. To other hosts nothing is said either way.
        # A redirect is none, though Django calls its empty body one.
        is_page = response.get("Content-Type", "").startswith("text/html") and "Location" not in response
        response["Referrer-Policy"] = "same-origin" if is_page else "no-referrer"
        if not request.path_info.startswith(f"/{settings.STATIC_URL.lstrip('/')}"):
            response["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["Authorization"])
        return response


class AlwaysJSON(BaseContentNegotiation):
    """Answer JSON whatever `Accept` says, as the documented API does."""

    def select_parser(self, request: Any, parsers: Iterable[Any]) -> Any:
        """Return the parser for the request's media type, or None (415)."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Any, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer of the view."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or "application/json"
