"""Reads the bodies of requests: strict JSON of a bounded size, or a clear refusal."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.status import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from authn.database.connections import release_database
from authn.web.strict_json import NotStrictJSON, read_json
from config.request_bodies import declared_length, limit_for


class PayloadTooLarge(APIException):
    """The body is larger than this caller's may be."""

    status_code = HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than {limit} bytes.")


class StrictJSONParser(BaseParser):
    """Parse `application/json` into plain Python values, or refuse it with 400 or 413.

    REST framework calls it after authentication and permissions: nothing is read from a caller who may
    not do this, and little from an anonymous one.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value in the body. Raises ParseError (400) and PayloadTooLarge (413)."""
        request = (parser_context or {})["request"]
        limit = limit_for(request.user)
        if declared_length(request) > limit:
            raise PayloadTooLarge(limit)
        if declared_length(request) > limit_for(None):
            release_database()  # The rest of a large body arrives as slowly as its sender likes.
        try:
            body = stream.read(limit + 1)
        except OSError as error:  # too slow, broken off, or no chunks
            raise ParseError("The request body does not match its headers, or did not arrive in time.") from error
        if len(body) > limit:
            raise PayloadTooLarge(limit)
        try:
            return read_json(body)
        except NotStrictJSON as error:
            raise ParseError(str(error)) from error
