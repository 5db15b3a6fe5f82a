"""Writes the result or the refusal of an operation in the negotiated format."""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from authn.servicestack import cookies
from authn.servicestack.dtos import Authenticate, AuthenticateResponse, ErrorResponse, RequestDto, ResponseDto
from authn.servicestack.errors import Refusal
from authn.servicestack.formats import CSV, HTML, Format, html
from authn.servicestack.negotiation import content_type
from authn.servicestack.operations import Operation
from authn.servicestack.origins import is_own_address, referrer_of
from authn.servicestack.replies import Reply


@dataclass(slots=True)
class Exchange:
    """A request and what is known of its response so far.

    `operation` and `dto` are None until the request has been routed and bound.
    """

    request: HttpRequest
    format: Format
    path_provider: str = ""
    operation: Operation | None = None
    dto: RequestDto | None = None

    @property
    def names_a_provider(self) -> bool:
        """Return True if the request names a provider; only then is a browser redirected."""
        return isinstance(self.dto, Authenticate) and bool(self.path_provider or self.dto.provider)


def render(exchange: Exchange, reply: Reply) -> HttpResponse:
    """Write a result; a browser that named a provider is redirected to its target."""
    response = _response(exchange, reply.dto, HTTPStatus.OK)
    if exchange.format is HTML and exchange.names_a_provider and (target := _target(exchange)):
        was_logged_in = isinstance(reply.dto, AuthenticateResponse) and reply.dto.user_id and not reply.logged_in
        _redirect(response, f"{target}#s=0" if was_logged_in else target)
    cookies.write(response, exchange.request, reply.cookies)
    return response


def render_refusal(exchange: Exchange, refusal: Refusal) -> HttpResponse:
    """Write a refusal; a browser that named a provider is redirected back to the page it came from."""
    dto: ResponseDto = ErrorResponse()
    if exchange.operation and exchange.dto is not None:
        dto = exchange.operation.response()
    dto.response_status = refusal.as_status()
    response = _response(exchange, dto, refusal.status, reason=refusal.code)
    if refusal.status == HTTPStatus.UNAUTHORIZED and exchange.format is HTML and exchange.names_a_provider:
        referrer = referrer_of(exchange.request)
        if referrer and not _error_view(exchange):
            _redirect(response, f"{referrer}#f={quote(str(refusal), safe='')}")
    for name, value in refusal.headers.items():
        response[name] = value
    cookies.write(response, exchange.request, cookies.deleted(*refusal.delete_cookies))
    return response


def _response(exchange: Exchange, dto: ResponseDto, status: HTTPStatus, *, reason: str | None = None) -> HttpResponse:
    format_ = exchange.format
    if format_ is HTML and isinstance(exchange.dto, Authenticate):
        view = _error_view(exchange) if status != HTTPStatus.OK else ""
        text = html.write(dto, view=view, continue_to=exchange.dto.continue_to or "")
    else:
        text = format_.write(dto)
    response = HttpResponse(text, status=status, content_type=content_type(exchange.request, format_), reason=reason)
    if format_ is CSV:
        name = exchange.operation.name if exchange.operation else "Error"
        response["Content-Disposition"] = f"attachment;filename={name}.csv"
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(response, ["Accept", "Authorization", "Cookie"])
    return response


def _error_view(exchange: Exchange) -> str:
    return (exchange.dto.error_view if isinstance(exchange.dto, Authenticate) else None) or ""


def _target(exchange: Exchange) -> str | None:
    """Return where a browser is redirected to: Continue, ReturnUrl, or the page of Frontdesk it came from."""
    if isinstance(exchange.dto, Authenticate) and exchange.dto.continue_to:
        return exchange.dto.continue_to
    return_url = exchange.request.GET.get("ReturnUrl", "")
    if is_own_address(exchange.request, return_url):
        return return_url
    return referrer_of(exchange.request)


def _redirect(response: HttpResponse, target: str) -> None:
    response.status_code, response.reason_phrase, response.content = HTTPStatus.FOUND, "Found", b""
    response["Location"] = target
