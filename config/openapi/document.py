"""`/sfp/api/schema`, the OpenAPI document, and `/sfp/api/docs`, a page that renders it."""

import hashlib
import threading
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

_building = threading.Lock()


@require_safe
def schema(request: HttpRequest) -> HttpResponseBase:
    """Return the document, the same for every query and caller.

    Generating it takes a tenth of a second and the route is public, so each process generates it once.
    """
    with _building:
        content, etag = _document()
    response = HttpResponse(content, content_type=OpenApiJsonRenderer.media_type)
    response["Content-Disposition"] = f'inline; filename="{settings.SPECTACULAR_SETTINGS["TITLE"]}.json"'
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@cache
def _document() -> tuple[bytes, str]:
    """Return the document as JSON, and its entity tag."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # untyped
    document = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    content: bytes = OpenApiJsonRenderer().render(document, renderer_context={})
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


class ApiDocsView(TemplateView):
    """The API documentation. It is public: it contains no secret."""

    template_name = "api_docs.html"
    http_method_names = ("get", "head", "options")
    extra_context = {"demo": settings.DEMO}
