"""Binds a request to its DTO: body, path, query and form, of which the later one wins."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from authn.servicestack.dtos import Dto, members_by_name
from authn.servicestack.errors import Refusal, Unreadable, unbindable
from authn.servicestack.formats.csv import parse_value
from authn.servicestack.negotiation import Address, body_format
from authn.web.strict_json import is_storable

_ENCODED = "The request body has a Content-Encoding. Send it uncompressed."


def bind(request: HttpRequest, dto: type[Dto], address: Address, path: Mapping[str, str]) -> Dto:
    """Return the DTO of a request. Raises Refusal.

    `path` holds the members in the URL's path. Each later source overrides the earlier ones; empty values
    of path, query and form, and unknown names, are ignored.
    """
    try:
        form, bound = _body(request, dto, address)
        for pairs in (path.items(), request.GET.items(), form.items()):
            _overlay(bound, pairs)
    except Unreadable as error:
        raise unbindable(dto.__name__, error) from error
    except RequestDataTooBig as error:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", "The request body is too large."
        ) from error
    except (SuspiciousOperation, BadRequest, MultiPartParserError) as error:
        raise unbindable(dto.__name__, Unreadable("The form or the query cannot be parsed.")) from error
    return bound


def _body(request: HttpRequest, dto: type[Dto], address: Address) -> tuple[QueryDict, Dto]:
    """Return the form of a request and the DTO of its body; either may be empty."""
    raw = _raw_body(request)
    if not raw:
        return QueryDict(), dto()
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "NotSupportedException", _ENCODED)
    format_ = body_format(request, address)
    if format_ is None:
        return (request.POST if request.method == "POST" else QueryDict()), dto()
    text = _text(raw)
    if format_.read is None or not text.strip():
        return QueryDict(), dto()
    return QueryDict(), format_.read(text, dto)


def _raw_body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except (ValueError, UnreadablePostError) as error:
        raise Unreadable("The body does not match its Content-Length or Transfer-Encoding.") from error


def _text(body: bytes) -> str:
    """Return a body as text, without the byte order mark that .NET writes."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The body is not UTF-8.") from error
    if "\x00" in text:
        raise Unreadable("The body contains a NUL character.")
    return text


def _overlay(bound: object, pairs: Iterable[tuple[str, object]]) -> None:
    by_name = members_by_name(type(bound))
    for name, value in pairs:
        found = by_name.get(name.strip().lower())
        if not found or not isinstance(value, str) or not value:
            continue
        if not is_storable(value):
            raise Unreadable(f"{found.name} contains a NUL character.", found.name)
        setattr(bound, found.attribute, parse_value(value, found.type, found.name))
