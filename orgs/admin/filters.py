"""Filters of the list of orgs."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from orgs.admin.attention import last_refresh_failed, org_needs_owner
from orgs.models import OrgMetadata, SalesforceOrg

_MAX_KEYS = 100


class AttentionFilter(admin.SimpleListFilter):
    """Filters orgs by whether their credential needs an owner, or failed in a way that passes by itself."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("owner", "Needs an owner"), ("temporary", "Last refresh failed")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[SalesforceOrg]) -> QuerySet[SalesforceOrg]:
        """Keep the orgs of the selected choice."""
        if self.value() == "owner":
            return queryset.filter(org_needs_owner())
        return queryset.filter(last_refresh_failed("credential__")) if self.value() == "temporary" else queryset


class MetadataKeyFilter(admin.SimpleListFilter):
    """Filters orgs by a metadata key that has a scalar value."""

    title = "metadata key"
    parameter_name = "metadata_key"

    def lookups(
        self, _request: HttpRequest, _model_admin: "admin.ModelAdmin[SalesforceOrg]"
    ) -> Iterable[tuple[str, str]]:
        """Return the metadata keys in use, at most 100."""
        keys = OrgMetadata.objects.order_by("key").values_list("key", flat=True).distinct()
        return [(key, key) for key in keys[:_MAX_KEYS]]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[SalesforceOrg]) -> QuerySet[SalesforceOrg]:
        """Keep the orgs that have the selected key."""
        return queryset.filter(metadata_rows__key=self.value()) if self.value() else queryset
