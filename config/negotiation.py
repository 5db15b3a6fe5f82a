"""Content negotiation of the API: JSON in, JSON out."""

from collections.abc import Iterable
from typing import TypeVar

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

Parser = TypeVar("Parser", bound=BaseParser)


class AlwaysJSON(BaseContentNegotiation):
    """Responds with JSON whatever `Accept` says, as the documented API does."""

    def select_parser(self, request: Request, parsers: Iterable[Parser]) -> Parser | None:
        """Return the parser for the request's media type, or None (415)."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer of the view."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or "application/json"
