"""Reads one message from a request: its body, path, query and form, of which the later wins."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from authn.servicestack.dtos import members_by_name
from authn.servicestack.errors import Refusal, Unreadable, unbindable
from authn.servicestack.formats.csv import of_text
from authn.servicestack.negotiation import Address, body_format
from authn.web.strict_json import is_storable

Message = TypeVar("Message")


def bind(request: HttpRequest, message: type[Message], address: Address, path: Mapping[str, str]) -> Message:
    """Return the message that a request carries. Raises Refusal.

    `path` holds the members that the path names. Each later source wins over the earlier ones; an
    empty value of a path, query or form says nothing. Unknown names are skipped.
    """
    try:
        form, bound = _body(request, message, address)
        for pairs in (path.items(), request.GET.items(), form.items()):
            _overlay(bound, pairs)
    except Unreadable as error:
        raise unbindable(message.__name__, error) from error
    except RequestDataTooBig as error:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", "The request body is too large."
        ) from error
    except (SuspiciousOperation, BadRequest, MultiPartParserError) as error:
        raise unbindable(message.__name__, Unreadable("The form or the query cannot be read.")) from error
    return bound


def _body(request: HttpRequest, message: type[Message], address: Address) -> tuple[Mapping[str, Any], Message]:
    """Return the form of a request, and the message of its body; either may be empty."""
    raw = _raw_body(request)
    if not raw:
        return {}, message()
    format_ = body_format(request, address)
    if format_ is None:
        return (request.POST if request.method == "POST" else QueryDict()), message()
    text = _text(raw)
    if format_.read is None or not text.strip():
        return {}, message()
    return {}, format_.read(text, message)


def _raw_body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except (ValueError, UnreadablePostError) as error:
        raise Unreadable("The body does not come as its headers say.") from error


def _text(body: bytes) -> str:
    """Return a body as text, without the byte order mark with which .NET begins."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The body is not UTF-8.") from error
    if "\x00" in text:
        raise Unreadable("The body holds a NUL.")
    return text


def _overlay(bound: Any, pairs: Iterable[tuple[str, Any]]) -> None:
    by_name = members_by_name(type(bound))
    for name, value in pairs:
        found = by_name.get(name.strip().lower())
        if not found or not value:
            continue
        if not is_storable(value):
            raise Unreadable(f"{found.name} holds a NUL.", found.name)
        setattr(bound, found.attribute, of_text(value, found.type, found.name))
