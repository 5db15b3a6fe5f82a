"""Routes of the Orgs group, below /sfp/api/auth/salesforce."""

from django.urls import path

from orgs.views import SalesforceOrgViewSet as Orgs

urlpatterns = [
    path("orgs", Orgs.as_view({"get": "list"}), name="orgs"),
    path("org", Orgs.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}), name="org"),
    path("register", Orgs.as_view({"post": "register"}), name="register"),
    path("test-connection", Orgs.as_view({"post": "test_connection"}), name="test-connection"),
    path("default-devhub", Orgs.as_view({"get": "default_dev_hub"}), name="default-devhub"),
    path("access-token", Orgs.as_view({"post": "access_token"}), name="access-token"),
    path(
        "default-devhub/access-token",
        Orgs.as_view({"post": "default_dev_hub_access_token"}),
        name="default-devhub-access-token",
    ),
]
