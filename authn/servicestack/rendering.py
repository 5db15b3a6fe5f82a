"""Writes what an operation answered, or why it was refused, in the format that was asked for."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from authn.servicestack import cookies
from authn.servicestack.dtos import Authenticate, AuthenticateResponse, ErrorResponse
from authn.servicestack.errors import Refusal
from authn.servicestack.formats import CSV, HTML, Format, html
from authn.servicestack.negotiation import content_type
from authn.servicestack.operations import Operation
from authn.servicestack.origins import is_own_address, referrer_of
from authn.servicestack.replies import Reply


@dataclass(slots=True)
class Exchange:
    """A request on its way: what is known by now of it and of its answer.

    `operation` and `message` are None until they have been found and read.
    """

    request: HttpRequest
    format: Format
    in_path: str = ""
    operation: Operation | None = None
    message: Any = None

    @property
    def names_a_provider(self) -> bool:
        """Tell whether a provider was named: only then is a browser sent on."""
        return isinstance(self.message, Authenticate) and bool(self.in_path or self.message.provider)


def render(exchange: Exchange, reply: Reply) -> HttpResponse:
    """Write an answer; a browser that named a provider is sent on to where it wanted to go."""
    response = _response(exchange, reply.message, HTTPStatus.OK)
    if exchange.format is HTML and exchange.names_a_provider and (target := _target(exchange)):
        known_before = isinstance(reply.message, AuthenticateResponse) and reply.message.user_id and not reply.logged_in
        _redirect(response, f"{target}#s=0" if known_before else target)
    cookies.write(response, exchange.request, reply.cookies)
    return response


def render_refusal(exchange: Exchange, refusal: Refusal) -> HttpResponse:
    """Write a refusal; a browser that named a provider is sent back to our page that it came from."""
    message: Any = ErrorResponse()
    if exchange.operation and exchange.message is not None:
        message = exchange.operation.response()
    message.response_status = refusal.as_status()
    response = _response(exchange, message, refusal.status)
    if refusal.status == HTTPStatus.UNAUTHORIZED and exchange.format is HTML and exchange.names_a_provider:
        referrer = referrer_of(exchange.request)
        if referrer and not exchange.message.error_view:
            _redirect(response, f"{referrer}#f={quote(str(refusal), safe='')}")
    for name, value in refusal.headers.items():
        response[name] = value
    cookies.write(response, exchange.request, cookies.deleted(*refusal.forget))
    return response


def _response(exchange: Exchange, message: Any, status: HTTPStatus) -> HttpResponse:
    format_ = exchange.format
    wish = exchange.message
    if format_ is HTML and isinstance(wish, Authenticate):
        view = wish.error_view if status != HTTPStatus.OK else ""
        text = html.write(message, view=view or "", continue_to=wish.continue_to or "")
    else:
        text = format_.write(message)
    reason = None if status == HTTPStatus.OK else message.response_status.error_code
    response = HttpResponse(text, status=status, content_type=content_type(exchange.request, format_), reason=reason)
    if format_ is CSV:
        name = exchange.operation.name if exchange.operation else "Error"
        response["Content-Disposition"] = f"attachment;filename={name}.csv"
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(response, ["Accept", "Authorization", "Cookie"])
    return response


def _target(exchange: Exchange) -> str | None:
    """Return where a browser is sent on to: Continue, ReturnUrl, or the page of ours that it came from."""
    if exchange.message.continue_to:
        return str(exchange.message.continue_to)
    wish = exchange.request.GET.get("ReturnUrl", "")
    if is_own_address(exchange.request, wish):
        return wish
    return referrer_of(exchange.request)


def _redirect(response: HttpResponse, target: str) -> None:
    response.status_code, response.reason_phrase, response.content = HTTPStatus.FOUND, "Found", b""
    response["Location"] = target
