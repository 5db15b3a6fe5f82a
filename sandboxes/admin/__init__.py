"""The console's part of sandboxes: pool instances, and how full the pools are. Keys are never shown."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from authn.console.admin_base import (
    ConsoleAdmin,
    add_domain_error,
    audit_url,
    badge,
    facts,
    principal_of,
    timestamp_column,
)
from authn.console.forms import ConfirmForm
from authn.console.site import Panel, add_panel
from orgs.admin.dashboard import add_needs, state_of
from orgs.admin.forms import ERROR_ACTIONS, ERROR_FIELDS
from orgs.credentials import OrgError
from sandboxes.admin.forms import AddForm
from sandboxes.continue_action import continue_link
from sandboxes.models import PoolInstance
from sandboxes.pools import dashboard, stock

# Where an error stands in the form, by its code.
_FIELDS = {
    **ERROR_FIELDS,
    "POOL_INSTANCE_EXISTS": "name",
    "POOL_INSTANCE_WITHOUT_KEY": "parent_username",
    "USERNAME_NEEDED": "username",
    "ORG_NOT_FOUND": "parent_username",
    "NOT_A_PRODUCTION_ORG": "parent_username",
    "DEVHUB_NOT_FOUND": "parent_username",
    "WRONG_KIND_OF_ORG": "type",
    "AUTH_URL_IN_USE": "auth_url",
}
_ACTIONS = {
    **ERROR_ACTIONS,
    "POOL_INSTANCE_EXISTS": "Remove it from there first.",
    "POOL_INSTANCE_WITHOUT_KEY": "Name its parent, paste an auth URL, or write the username of a registered org.",
    "USERNAME_NEEDED": "Write its username.",
    "ORG_NOT_FOUND": "Register that org first, or name another one.",
    "DEVHUB_NOT_FOUND": "Open that org here and tick DevHub, or name another one.",
}

add_needs(dashboard.instances_needing_attention)
add_panel(Panel("Pools", "console/pools.html", dashboard.pool_fill, place=25))


@admin.register(PoolInstance)
class PoolInstanceAdmin(ConsoleAdmin):
    """Orgs that jobs share: added and removed here, handed out over the API."""

    list_display = ("name", "pool", "type_badge", "status_badge", "holder", timestamp_column("expires_at", "Until"))
    list_filter = ("status", "type", "repository", "pool_tag")
    search_fields = ("name", "username", "org_id", "assignment_id", "assigned_to_email")
    search_help_text = "Name, username, org id, assignment or whom it is assigned to."
    ordering = ("repository", "pool_tag", "name")
    add_label = "Add an instance"
    audit_key = "name"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PoolInstance]:
        """Return instances with their parents, each as it stands now."""
        PoolInstance.objects.expire_overdue_if_possible()
        return PoolInstance.objects.select_related("parent", "credential")

    def get_urls(self) -> list[URLPattern]:
        """Add the deed that the page of an instance offers."""
        ready = self.admin_site.admin_view(self.make_available_view)
        return [
            path("<path:object_id>/make-available/", ready, name="sandboxes_poolinstance_make_available"),
            *super().get_urls(),
        ]

    @admin.display(description="Pool", ordering="pool_tag")
    def pool(self, instance: PoolInstance) -> str:
        """Show pool and repository."""
        return f"{instance.pool_tag}, {instance.repository}"

    @admin.display(description="Type", ordering="type")
    def type_badge(self, instance: PoolInstance) -> SafeString:
        """Show what kind of org it is."""
        return badge(instance.get_type_display(), "calm")

    @admin.display(description="Status", ordering="status")
    def status_badge(self, instance: PoolInstance) -> SafeString:
        """Show where it stands."""
        return badge(instance.get_status_display(), dashboard.TONES[instance.status])

    @admin.display(description="Assigned to", ordering="assignment_id")
    def holder(self, instance: PoolInstance) -> str:
        """Show who has it."""
        return instance.assigned_to_email or instance.assignment_id

    def _key_badge(self, instance: PoolInstance) -> SafeString:
        """Show how the key is that came with the instance; nothing if it has none."""
        return badge(*state_of(instance)) if instance.credential_id else SafeString("")

    @method_decorator(sensitive_post_parameters("auth_url"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Add an instance. No transaction is open while Salesforce is asked."""
        form = AddForm(request.POST or None)
        if form.is_valid():
            try:
                instance = stock.add_instance(form.instance, by=principal_of(request))
            except OrgError as error:
                add_domain_error(form, error, _FIELDS, _ACTIONS)
            else:
                self.message_user(request, f"{instance.name} is in the pool {instance.pool_tag}.", messages.SUCCESS)
                return HttpResponseRedirect(self.address("change", instance.pk))
        return self.page(request, "console/form.html", title="Add an instance to a pool", form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show an instance; what changes of it, jobs change over the API."""
        instance: PoolInstance = self.row(request, object_id)
        known = facts(
            ("Status", self.status_badge(instance)), ("Its own key", self._key_badge(instance)),
            ("Pool", instance.pool_tag), ("Repository", instance.repository),
            ("Type", instance.get_type_display()), ("Username", instance.username), ("Org id", instance.org_id),
            ("Instance URL", instance.instance_url), ("Reached through", instance.parent),
            ("Assignment", instance.assignment_id), ("Assigned to", instance.assigned_to_email),
            ("Assigned at", instance.assigned_at), ("Until", instance.expires_at), ("Added", instance.created_at),
        )  # fmt: skip
        return self.page(
            request, "console/pool_instance.html", title=instance.name, instance=instance, facts=known,
            audit_url=audit_url(instance.name),
            open_path=continue_link(instance.name, repository=instance.repository),
        )  # fmt: skip

    @method_decorator(require_POST)
    def make_available_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let an instance be fetched that was still being made, or has expired."""
        instance: PoolInstance = self.row(request, object_id)
        if stock.make_available(instance, by=principal_of(request)):
            self.message_user(request, f"{instance.name} can be fetched now.", messages.SUCCESS)
        else:
            status = instance.get_status_display().lower()
            self.message_user(request, f"{instance.name} is {status}; nothing was changed.", messages.WARNING)
        return HttpResponseRedirect(self.address("change", instance.pk))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask, then take an instance out of its pool."""
        instance: PoolInstance = self.row(request, object_id)
        form = ConfirmForm(request.POST if request.method == "POST" else None, submit_label="Remove")
        if form.is_valid():
            try:
                stock.remove_instance(repository=instance.repository, name=instance.name, by=principal_of(request))
            except OrgError as error:
                self.message_user(request, f"{error}", messages.WARNING)
            else:
                self.message_user(request, f"{instance.name} is in no pool any more.", messages.SUCCESS)
            return self.to_list()
        note = "The desk forgets it, with its key. The org itself stays as it is."
        if instance.status == PoolInstance.Status.ASSIGNED:
            note += f" It is assigned to {self.holder(instance)} at this moment."
        return self.page(request, "console/form.html", title=f"Remove {instance.name}?", form=form, note=note)
