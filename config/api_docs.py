"""`/sfp/api/docs`: the OpenAPI document as a page, drawn by scripts that this desk serves itself."""

from typing import Any

from django.conf import settings
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularJSONAPIView


class SchemaView(SpectacularJSONAPIView):
    """The document. There is one version of it, whatever the query asks for.

    drf-spectacular would put any text from there into the document and into a header.
    """

    def _get_version_parameter(self, request: Any) -> None:
        return None


class ApiDocsView(TemplateView):
    """Show the API. Signed-out people may read it: it holds no secret."""

    template_name = "api_docs.html"
    http_method_names = ("get", "head", "options")
    extra_context: Any = {"demo": settings.DEMO}
