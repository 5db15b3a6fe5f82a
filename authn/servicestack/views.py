"""Serves the operations at their addresses: reads, calls, renders, and answers every failure in kind."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from authn.servicestack import people
from authn.servicestack.binding import bind
from authn.servicestack.errors import Refusal
from authn.servicestack.formats import FORMATS, JSON
from authn.servicestack.negotiation import Address, answer_format
from authn.servicestack.operations import AUTHENTICATE, GET_ACCESS_TOKEN, operation_named
from authn.servicestack.rendering import Exchange, render, render_refusal
from authn.web.prefetch import is_prefetch

logger = logging.getLogger("frontdesk.servicestack")


# Clients of this service know no CSRF token; origins.refuse_cross_site stands in for it.
@method_decorator(csrf_exempt, name="dispatch")
class ServiceView(View):
    """Serves `operation` or, where that is "", the one that the path names."""

    operation = ""
    refuses_large_bodies = True  # in the words of the service
    http_method_names = ["get", "head", "post", "delete", "options"]

    def options(self, request: HttpRequest, *args: Any, **path: str) -> HttpResponse:
        """Name the methods of the operation. Grants nothing to other sites: there are no CORS headers."""
        return self.serve(request, **path)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **path: str) -> HttpResponse:
        """Answer PUT, PATCH and whatever else the operations have not."""
        return self.serve(request, **path)

    def serve(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Read the message, run the operation and write the answer."""
        exchange = Exchange(request, JSON)
        try:
            address = self.address(path)
            exchange.format = answer_format(request, address)
            exchange.operation = operation = operation_named(self.operation or path["operation"])
            if request.method not in operation.verbs:
                raise _no_such_method(operation.verbs)
            if request.method == "OPTIONS":
                return HttpResponse(headers=_allow(operation.verbs))
            exchange.in_path = path.get("provider", "")
            exchange.message = bind(request, operation.request, address, {"provider": exchange.in_path})
            return render(exchange, operation.run(request, exchange.message, exchange.in_path))
        except Refusal as refusal:
            return render_refusal(exchange, refusal)
        except SuspiciousOperation:
            return render_refusal(exchange, _unreadable_query())
        except people.TROUBLE as error:
            if (unavailable := people.unavailable(error)) is None:
                raise
            logger.error("The database refused a request.", exc_info=error)
            return render_refusal(exchange, unavailable)

    def address(self, path: dict[str, str]) -> Address:
        """Return what an address says of formats: by its suffix or, where it names the operation, by its start."""
        if self.operation:
            return Address(suffix=FORMATS.get(path.get("suffix", "").lower()))
        return Address(route=FORMATS[path.get("format", "json").lower()])


class ReplyView(ServiceView):
    """`/{format}/reply/{operation}`, `/json/oneway/{operation}` and `/api/{operation}`, which is JSON."""

    def get(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Tell who somebody is, or log out. A browser that only looks ahead gets nothing."""
        if is_prefetch(request):
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        return self.serve(request, **path)

    def post(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Do what the message asks for."""
        return self.serve(request, **path)

    def delete(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Log out."""
        return self.serve(request, **path)


class AuthenticateView(ReplyView):
    """`/auth`, `/auth/{provider}` and the same below `/authenticate`, each with a suffix or without."""

    operation = AUTHENTICATE.name


class AccessTokenView(ServiceView):
    """`/access-token`, with a suffix or without."""

    operation = GET_ACCESS_TOKEN.name

    def post(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Hand out an access token."""
        return self.serve(request, **path)


def _allow(verbs: tuple[str, ...]) -> dict[str, str]:
    return {"Allow": ", ".join(verbs)}


def _no_such_method(verbs: tuple[str, ...]) -> Refusal:
    message = "The operation does not support this HTTP method"
    return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "NotImplementedException", message, headers=_allow(verbs))


def _unreadable_query() -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "SerializationException", "The query cannot be read.")
