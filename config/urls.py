"""The root URL configuration."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config import health
from config.openapi.document import ApiDocsView, schema

api: list[URLPattern | URLResolver] = [
    path("", include("authn.urls")),
    path("auth/salesforce/", include("orgs.urls")),
    path("", include("sandboxes.urls")),
    path("schema", schema, name="schema"),
    path("docs", ApiDocsView.as_view(), name="api-docs"),
]

urlpatterns = [
    path("", include("sandboxes.home.urls")),
    path("", include("authn.pages.urls")),
    path("console", RedirectView.as_view(pattern_name="admin:index")),
    path("console/", admin.site.urls),
    # Where the users of other Django sites look for it.
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", RedirectView.as_view(pattern_name="admin:index")),
    path("livez", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("sfp/api", RedirectView.as_view(pattern_name="api-docs"), name="api"),
    path("sfp/apidocs-json", RedirectView.as_view(pattern_name="schema"), name="apidocs-json"),
    path("sfp/api/", include(api)),
    path("", include("authn.servicestack.urls")),
]

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.permission_denied"
handler404 = "config.error_views.page_not_found"
handler500 = "config.error_views.server_error"
