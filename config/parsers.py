"""The formats of the API: strict JSON of limited size in, JSON out."""

from collections.abc import Iterable, Mapping
from typing import IO, Any, TypeVar, cast

from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.status import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from authn.database.connections import release_database
from authn.web.strict_json import NotStrictJSON, read_json
from config.request_bodies import declared_length, limit_for

Parser = TypeVar("Parser", bound=BaseParser)


class PayloadTooLarge(APIException):
    """The body is larger than this caller may send."""

    status_code = HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than {limit} bytes.")


class StrictJSONParser(BaseParser):
    """Parses `application/json` into plain Python values.

    REST framework calls it after authentication and permission checks: nothing is read from a caller without
    permission, and little from an anonymous one.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, object] | None = None,
    ) -> Any:  # a JSON value, where REST framework expects a form
        """Return the value in the body. Raises ParseError (400) and PayloadTooLarge (413)."""
        request = cast(Request, (parser_context or {})["request"])
        limit = limit_for(request.user)
        if declared_length(request) > limit:
            raise PayloadTooLarge(limit)
        if declared_length(request) > limit_for(None):
            release_database()  # The sender controls how fast the rest of a large body arrives.
        try:
            body = stream.read(limit + 1)
        except OSError as error:  # too slow, cut off, or malformed chunks
            raise ParseError("The request body does not match its headers, or did not arrive in time.") from error
        if len(body) > limit:
            raise PayloadTooLarge(limit)
        try:
            return read_json(body)
        except NotStrictJSON as error:
            raise ParseError(str(error)) from error


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
