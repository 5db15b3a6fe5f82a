"""The console pages of pool instances and of sandboxes that are registered by name. Secrets are never shown.

__init__.py      PoolInstanceAdmin: list, instance page, adding and removing. Open this first.
forms.py         The forms that add an instance and register a sandbox. They run the API's own field checks.
assignments.py   Returning, ending and extending assignments.
registration.py  The page that registers a sandbox by its name.

The panel "Pools" is in sandboxes/pools/dashboard.py. Jobs fetch instances over the API only.
"""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from authn.audit_actions import TargetKind
from authn.console.admin_base import (
    ConsoleAdmin,
    add_domain_error,
    badge,
    detail_rows,
    error_text,
    principal_of,
    timestamp_column,
)
from authn.console.audit_targets import add_target_page, audit_of
from authn.console.forms import ConfirmForm
from authn.console.site import ExtraContext, Panel, add_page, add_panel
from authn.database.shown_values import ChangedMeanwhile
from orgs.admin.dashboard import add_alerts, health_badge
from orgs.admin.forms import ERROR_FIELDS
from orgs.credentials import OrgError
from sandboxes.admin import registration
from sandboxes.admin.assignments import OPERATIONS
from sandboxes.admin.forms import AddForm
from sandboxes.continue_action import continue_link
from sandboxes.models import PoolInstance
from sandboxes.pools import dashboard, stock

_MAX_SELECTED = 100
# The form field at which an error is shown, by error code.
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

add_alerts(dashboard.INSTANCE_ALERTS)
add_page(registration.PAGE)
add_target_page(TargetKind.POOL_INSTANCE, PoolInstance, has_unique_label=True)
add_panel(Panel("Pools", "console/pools.html", dashboard.pool_usage, place=25))


class AttentionFilter(admin.SimpleListFilter):
    """Filters by whether the credential of an instance needs an owner."""

    title = "attention"
    parameter_name = "attention"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        """Return the one choice."""
        return [("owner", "Needs an owner")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[PoolInstance]) -> QuerySet[PoolInstance]:
        """Keep the instances that need an owner."""
        return dashboard.instance_needs_owner(queryset) if self.value() == "owner" else queryset


@admin.register(PoolInstance)
class PoolInstanceAdmin(ConsoleAdmin):
    """List, instance page and actions of pool instances."""

    list_display = ("name", "pool", "type_badge", "status_badge", "holder", timestamp_column("expires_at", "Expires"))
    list_filter = ("status", "type", "repository", "pool_tag", AttentionFilter)
    search_fields = ("name", "username", "org_id", "assignment_id", "assigned_to_email")
    search_help_text = "Name, username, org id, assignment id or e-mail of the assignee."
    ordering = ("repository", "pool_tag", "name")
    add_label = "Add an instance"
    actions = ("return_to_pool", "extend_assignments", "end_assignments")
    purpose = (
        "A pool holds orgs that jobs take for a while and return, such as one for each pull request. Add the first "
        "instance here, or import the scratch orgs of a DevHub with manage.py import_pool."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PoolInstance]:
        """Return instances with their parent and credential, after expiring overdue assignments."""
        PoolInstance.objects.expire_overdue_if_possible()
        return PoolInstance.objects.select_related("parent", "credential")

    def get_urls(self) -> list[URLPattern]:
        """Add the actions of the instance page, and the page that changes assignments."""
        owners_only, name = self.admin_site.admin_view, "sandboxes_poolinstance"
        make_available = owners_only(self.make_available_view)
        return [
            path("assignments/<str:operation>/", owners_only(self.assignments_view), name=f"{name}_assignments"),
            path("<path:object_id>/make-available/", make_available, name=f"{name}_make_available"),
            *super().get_urls(),
        ]

    @admin.action(description="Return to the pool …", permissions=["change"])
    def return_to_pool(self, request: HttpRequest, instances: QuerySet[PoolInstance]) -> HttpResponse:
        """Redirect to the page that returns the selected instances."""
        return self._to_assignments("return", instances)

    @admin.action(description="Extend the assignment …", permissions=["change"])
    def extend_assignments(self, request: HttpRequest, instances: QuerySet[PoolInstance]) -> HttpResponse:
        """Redirect to the page that extends the assignments of the selected instances."""
        return self._to_assignments("extend", instances)

    @admin.action(description="End the assignment …", permissions=["change"])
    def end_assignments(self, request: HttpRequest, instances: QuerySet[PoolInstance]) -> HttpResponse:
        """Redirect to the page that ends the assignments of the selected instances."""
        return self._to_assignments("end", instances)

    def _to_assignments(self, operation: str, instances: QuerySet[PoolInstance]) -> HttpResponse:
        ids = [str(key) for key in instances.values_list("pk", flat=True)[:_MAX_SELECTED]]
        return HttpResponseRedirect(f"{self.address('assignments', operation)}?ids={','.join(ids)}")

    def assignments_view(self, request: HttpRequest, operation: str) -> HttpResponse:
        """Return, end or extend the assignments of the instances named by `ids` in the query, after confirmation.

        Raises Http404 if none of them is assigned.
        """
        do = OPERATIONS.get(operation)
        instances = list(self.rows_in_query(request).exclude(assignment_id=""))
        if do is None or not instances:
            raise Http404
        form = do.form(request.POST if request.method == "POST" else None, instances, submit_label=do.verb)
        if form.is_valid():
            for instance in instances:
                # The assignment that the page showed, which the change is made for.
                instance.assignment_id = form.cleaned_data["shown"].get(str(instance.pk), "")
                if text := do.run(instance, form, principal_of(request)):
                    self.message_user(request, text, messages.SUCCESS)
                else:
                    text = f"{instance.name} was not changed: its assignment has ended or changed meanwhile."
                    self.message_user(request, text, messages.WARNING)
            return self.to_list() if len(instances) > 1 else self._to_page(instances[0])
        title = f"{do.verb}: {instances[0].name if len(instances) == 1 else f'{len(instances)} instances'}"
        return self.page(request, "console/assignments.html", title=title, form=form, note=do.note, instances=instances)

    def _to_page(self, instance: PoolInstance) -> HttpResponse:
        return HttpResponseRedirect(self.address("change", instance.pk))

    @admin.display(description="Pool", ordering="pool_tag")
    def pool(self, instance: PoolInstance) -> str:
        """Return the pool tag and the repository."""
        return f"{instance.pool_tag}, {instance.repository}"

    @admin.display(description="Type", ordering="type")
    def type_badge(self, instance: PoolInstance) -> SafeString:
        """Return the badge of the org type."""
        return badge(instance.get_type_display(), "calm")

    @admin.display(description="Status", ordering="status")
    def status_badge(self, instance: PoolInstance) -> SafeString:
        """Return the badge of the status."""
        return badge(instance.get_status_display(), dashboard.TONES[PoolInstance.Status(instance.status)])

    @admin.display(description="Assigned to", ordering="assignment_id")
    def holder(self, instance: PoolInstance) -> str:
        """Return the e-mail of the assignee, else the assignment id."""
        return instance.assigned_to_email or instance.assignment_id

    def _credential_badge(self, instance: PoolInstance) -> SafeString:
        """Return the health badge of the instance's own credential; nothing for one reached through its parent."""
        return badge(*health_badge(instance.credential)) if instance.credential else SafeString("")

    @method_decorator(sensitive_post_parameters("auth_url"))
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Add an instance. No transaction is open during the calls to Salesforce."""
        form = AddForm(request.POST or None)
        if form.is_valid():
            try:
                instance = stock.add_instance(form.instance, by=principal_of(request))
            except OrgError as error:
                add_domain_error(form, error, _FIELDS)
            else:
                self.message_user(
                    request, f"{instance.name} was added to the pool {instance.pool_tag}.", messages.SUCCESS
                )
                if warning := stock.missing_sandbox_warning(instance):
                    self.message_user(request, warning, messages.WARNING)
                return self._to_page(instance)
        return self.page(request, "console/form.html", title="Add an instance to a pool", form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show an instance, read-only: jobs change it over the API."""
        instance: PoolInstance = self.row(request, object_id)
        details = detail_rows(
            ("Status", self.status_badge(instance)), ("Own credential", self._credential_badge(instance)),
            ("Pool", instance.pool_tag), ("Repository", instance.repository),
            ("Type", instance.get_type_display()), ("Username", instance.username), ("Org id", instance.org_id),
            ("Instance URL", instance.instance_url), ("Parent org", instance.parent),
            ("Assignment", instance.assignment_id), ("Assigned to", instance.assigned_to_email),
            ("Assigned at", instance.assigned_at), ("Expires", instance.expires_at), ("Added", instance.created_at),
        )  # fmt: skip
        return self.page(
            request, "console/pool_instance.html", title=instance.name, instance=instance, rows=details,
            audit_url=audit_of(instance.audit_target),
            open_path=continue_link(instance.name, repository=instance.repository),
        )  # fmt: skip

    @method_decorator(require_POST)
    def make_available_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a provisioning or expired instance available."""
        instance: PoolInstance = self.row(request, object_id)
        if stock.make_available(instance, by=principal_of(request)):
            self.message_user(request, f"{instance.name} is now available.", messages.SUCCESS)
        else:
            status = instance.get_status_display().lower()
            self.message_user(request, f"{instance.name} is {status} and was not changed.", messages.WARNING)
        return self._to_page(instance)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: ExtraContext = None) -> HttpResponse:
        """Remove an instance from its pool after confirmation."""
        instance: PoolInstance = self.row(request, object_id)
        data = request.POST if request.method == "POST" else None
        form = ConfirmForm(data, submit_label="Remove", shown=instance.assignment_id)
        if form.is_valid():
            try:
                stock.remove_instance(
                    repository=instance.repository,
                    name=instance.name,
                    by=principal_of(request),
                    shown={"assignment_id": form.shown()},
                )
            except ChangedMeanwhile:
                form = ConfirmForm(data, submit_label="Remove", shown=self.row(request, object_id).assignment_id)
                form.add_error(None, "Its assignment changed after this page was shown, so nothing was removed.")
            except OrgError as error:
                self.message_user(request, error_text(error), messages.WARNING)
                return self.to_list()
            else:
                self.message_user(request, f"{instance.name} was removed from the pool.", messages.SUCCESS)
                return self.to_list()
        return self.page(
            request,
            "console/form.html",
            title=f"Remove {instance.name}?",
            form=form,
            note=self._removal_note(self.row(request, object_id)),
        )

    def _removal_note(self, instance: PoolInstance) -> str:
        note = "Frontdesk deletes the instance and its credential. The org itself is not changed."
        if instance.status == PoolInstance.Status.ASSIGNED:
            note += f" It is currently assigned to {self.holder(instance)}."
        return note
