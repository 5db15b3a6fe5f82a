"""Reads the bodies of requests: strict JSON of a bounded size, or a clear refusal."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.status import HTTP_413_REQUEST_ENTITY_TOO_LARGE

from authn.strict_json import NotStrictJSON, read_json


class PayloadTooLarge(APIException):
    """The body is larger than any request of this API needs."""

    status_code = HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "payload_too_large"
    default_detail = f"The request body is larger than {settings.MAX_REQUEST_BYTES} bytes."


class StrictJSONParser(BaseParser):
    """Parse `application/json` into plain Python values, or refuse it with 400 or 413."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value in the body. Raises ParseError (400) and PayloadTooLarge (413)."""
        declared = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if not declared.isdigit() or int(declared[:12]) > settings.MAX_REQUEST_BYTES:
            raise PayloadTooLarge
        body = stream.read(settings.MAX_REQUEST_BYTES + 1)
        if len(body) > settings.MAX_REQUEST_BYTES:
            raise PayloadTooLarge
        try:
            return read_json(body)
        except NotStrictJSON as error:
            raise ParseError(str(error)) from error
