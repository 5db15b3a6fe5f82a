"""Routes of on-demand access, front-door links and pools, below /sfp/api."""

from django.urls import path

from sandboxes.views import (
    FrontdoorView,
    PoolInstanceViewSet,
    SandboxAuthView,
    SandboxRegistrationView,
    ScratchOrgAuthView,
)

urlpatterns = [
    path("auth/salesforce/frontdoor", FrontdoorView.as_view(), name="frontdoor"),
    path(
        "auth/salesforce/register-sandbox-by-name",
        SandboxRegistrationView.as_view(),
        name="register-sandbox-by-name",
    ),
    path("auth/salesforce/sandbox/authenticate", SandboxAuthView.as_view(), name="sandbox-authenticate"),
    path("auth/salesforce/scratch/authenticate", ScratchOrgAuthView.as_view(), name="scratch-authenticate"),
    path(
        "pools/instances",
        PoolInstanceViewSet.as_view({"get": "list_instances", "post": "create", "delete": "destroy"}),
        name="pool-instances",
    ),
    path("pools/instances/fetch", PoolInstanceViewSet.as_view({"post": "fetch"}), name="pool-fetch"),
    path("pools/instances/unassign", PoolInstanceViewSet.as_view({"post": "unassign"}), name="pool-unassign"),
]
