"""Views of the operations: bind the DTO, run the operation, render its result or refusal."""

import logging
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from authn.servicestack import identity
from authn.servicestack.binding import bind
from authn.servicestack.errors import Refusal
from authn.servicestack.formats import FORMATS, JSON
from authn.servicestack.negotiation import Address, response_format
from authn.servicestack.operations import AUTHENTICATE, GET_ACCESS_TOKEN, operation_named
from authn.servicestack.rendering import Exchange, render, render_refusal
from authn.web.prefetch import is_prefetch

logger = logging.getLogger("frontdesk.servicestack")


# Clients of this service send no CSRF token; origins.refuse_cross_site replaces it.
@method_decorator(csrf_exempt, name="dispatch")
class ServiceView(View):
    """Serves `operation` or, if that is "", the operation in the path."""

    operation = ""
    refuses_bodies = True  # that are too large or encoded, with an error response of this service
    http_method_names = ["get", "head", "post", "delete", "options"]

    def options(self, request: HttpRequest, *args: object, **path: str) -> HttpResponse:
        """Return the methods of the operation. There are no CORS headers, so every preflight fails."""
        return self.serve(request, **path)

    def http_method_not_allowed(self, request: HttpRequest, *args: object, **path: str) -> HttpResponse:
        """Refuse PUT, PATCH and every other method with 405."""
        return self.serve(request, **path)

    def serve(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Bind the DTO, run the operation and render the response."""
        exchange = Exchange(request, JSON)
        try:
            address = self.address(path)
            exchange.format = response_format(request, address)
            exchange.operation = operation = operation_named(self.operation or path["operation"])
            if request.method not in operation.verbs:
                raise _no_such_method(operation.verbs)
            if request.method == "OPTIONS":
                return HttpResponse(headers=_allow(operation.verbs))
            exchange.path_provider = path.get("provider", "")
            exchange.dto = bind(request, operation.request, address, {"provider": exchange.path_provider})
            return render(exchange, operation.run(request, exchange.dto, exchange.path_provider))
        except Refusal as refusal:
            return render_refusal(exchange, refusal)
        except SuspiciousOperation:
            return render_refusal(exchange, _unreadable_query())
        except identity.UNAVAILABLE_ERRORS as error:
            if (unavailable := identity.unavailable(error)) is None:
                raise
            logger.error("The database refused a request.", exc_info=error)
            return render_refusal(exchange, unavailable)

    def address(self, path: dict[str, str]) -> Address:
        """Return the formats in the URL: its suffix or, on routes with any operation, its first segment."""
        if self.operation:
            return Address(suffix=FORMATS.get(path.get("suffix", "").lower()))
        return Address(route=FORMATS[path.get("format", "json").lower()])


class ReplyView(ServiceView):
    """`/{format}/reply/{operation}`, `/json/oneway/{operation}` and `/api/{operation}`, which is JSON."""

    def get(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Return the current user, or log out. A browser's prefetch gets 204."""
        if is_prefetch(request):
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        return self.serve(request, **path)

    def post(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Run the operation."""
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
        """Issue an access token."""
        return self.serve(request, **path)


def _allow(verbs: tuple[str, ...]) -> dict[str, str]:
    return {"Allow": ", ".join(verbs)}


def _no_such_method(verbs: tuple[str, ...]) -> Refusal:
    message = "The operation does not support this HTTP method"
    return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "NotImplementedException", message, headers=_allow(verbs))


def _unreadable_query() -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "SerializationException", "The query cannot be parsed.")
