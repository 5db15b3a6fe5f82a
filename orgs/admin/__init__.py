"""The console's part of orgs: find, register, change, test and delete them. Keys are never shown."""

import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from authn.console.admin_base import ConsoleAdmin, add_domain_error, audit_url, badge, facts, principal_of
from authn.console.site import Panel, add_panel
from authn.pages import continuation
from orgs.admin import dashboard
from orgs.admin.forms import ERROR_ACTIONS, ERROR_FIELDS, ChangeForm, DeleteForm, RegisterForm, metadata_rows
from orgs.connection_report import check_connections
from orgs.credentials.errors import OrgError
from orgs.deletion import delete_org, dependents
from orgs.errors import OrgNotFound
from orgs.models import OrgMetadata, SalesforceOrg
from orgs.organization_kinds import Kind
from orgs.registration import Registration, register
from orgs.update import update_org

MOST_AT_ONCE = 100
_SIDE_BY_SIDE = 8
_OPEN = "frontDoorUrl"  # the continue action that opens an org; the app above registers it
_KIND_TONES = {Kind.PRODUCTION: "info", Kind.SANDBOX: "calm", Kind.SCRATCH: "calm"}
_ROTATION = {None: ("Not known yet", "calm"), True: ("Rotates", "info"), False: ("Stays", "calm")}

dashboard.add_needs(dashboard.orgs_in_need)
add_panel(Panel("Needs your hand", "console/needs.html", dashboard.in_need, place=10, wide=True))
add_panel(Panel("Orgs by health", "console/bars.html", dashboard.orgs_by_health, place=20))


class MetadataKeyFilter(admin.SimpleListFilter):
    """Which orgs have a metadata key with a plain value."""

    title = "metadata key"
    parameter_name = "metadata_key"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the keys that are in use."""
        keys = OrgMetadata.objects.order_by("key").values_list("key", flat=True).distinct()
        return [(key, key) for key in keys[:MOST_AT_ONCE]]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[SalesforceOrg]) -> QuerySet[SalesforceOrg]:
        """Keep the orgs that have the key."""
        return queryset.filter(metadata_rows__key=self.value()) if self.value() else queryset


@admin.register(SalesforceOrg)
class SalesforceOrgAdmin(ConsoleAdmin):
    """Registered orgs. All changes go through the functions that the API calls."""

    list_display = (
        "username",
        "health_badge",
        "kind_badge",
        "dev_hub_badge",
        "rotation_badge",
        "sandbox",
        "instance",
    )
    list_filter = ("kind", "is_dev_hub", "credential__health", "organization_type", MetadataKeyFilter)
    search_fields = ("username", "org_id", "instance_url", "instance_name", "sandbox_name")
    search_help_text = "Username, org id, instance or sandbox name."
    ordering = ("username",)
    add_label = "Register an org"
    actions = ("test_connections", "make_default", "delete_orgs")
    audit_key = "username"

    # --- The list ------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[SalesforceOrg]:
        """Return orgs with health and parent, and without any sealed column."""
        return SalesforceOrg.objects.for_answers()

    @admin.display(description="Kind", ordering="kind")
    def kind_badge(self, org: SalesforceOrg) -> SafeString:
        """Show the kind."""
        return badge(Kind(org.kind).label, _KIND_TONES[Kind(org.kind)])

    @admin.display(description="DevHub", ordering="is_default")
    def dev_hub_badge(self, org: SalesforceOrg) -> SafeString | str:
        """Show whether it is a DevHub, and the default one."""
        if org.is_default:
            return badge("Default DevHub", "good")
        return badge("DevHub", "info") if org.is_dev_hub else ""

    @admin.display(description="Health", ordering="credential__health")
    def health_badge(self, org: SalesforceOrg) -> SafeString:
        """Show how the credential is."""
        return badge(*dashboard.state_of(org))

    @admin.display(description="Refresh token", ordering="credential__rotates")
    def rotation_badge(self, org: SalesforceOrg) -> SafeString | str:
        """Show whether the refresh token changes at each use."""
        return badge(*_ROTATION[org.credential.rotates]) if org.credential else ""

    @admin.display(description="Sandbox", ordering="sandbox_name")
    def sandbox(self, org: SalesforceOrg) -> str:
        """Show the name of a sandbox."""
        return org.sandbox_name

    @admin.display(description="Instance", ordering="instance_name")
    def instance(self, org: SalesforceOrg) -> str:
        """Show where at Salesforce the org lives."""
        return org.instance_name

    @admin.action(description="Test connection", permissions=["change"])
    def test_connections(self, request: HttpRequest, orgs: QuerySet[SalesforceOrg]) -> None:
        """Ask Salesforce whether the stored credentials work, and tell of each."""
        rows = list(orgs[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            text = f"At most {MOST_AT_ONCE} orgs are tested at once here; `manage.py check_connections` tests all."
            self.message_user(request, text, messages.ERROR)
            return
        for checked in check_connections(rows, by=principal_of(request), side_by_side=_SIDE_BY_SIDE):
            if checked.error is None:
                self.message_user(request, f"{checked.org.username}: the connection works.", messages.SUCCESS)
            else:
                text = f"{checked.org.username}: {checked.error} {checked.error.action}"
                self.message_user(request, text, messages.ERROR if checked.is_dead else messages.WARNING)

    @admin.action(description="Make default DevHub", permissions=["change"])
    def make_default(self, request: HttpRequest, orgs: QuerySet[SalesforceOrg]) -> None:
        """Move the default to the one org that is ticked."""
        rows = list(orgs[:2])
        if len(rows) != 1:
            self.message_user(request, "Tick exactly one org: there is one default DevHub.", messages.ERROR)
            return
        try:
            org = update_org(rows[0], by=principal_of(request), is_default=True)
        except OrgError as error:
            self._tell(request, error)
        else:
            self.message_user(request, f"{org.username} is the default DevHub now.", messages.SUCCESS)

    @admin.action(description="Delete …", permissions=["delete"])
    def delete_orgs(self, request: HttpRequest, orgs: QuerySet[SalesforceOrg]) -> HttpResponse:
        """Lead to the page that asks how to delete the orgs that are ticked."""
        ids = [str(key) for key in orgs.values_list("pk", flat=True)[:MOST_AT_ONCE]]
        return HttpResponseRedirect(f"{self.address('delete_many')}?ids={','.join(ids)}")

    # --- One org ---------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add the deeds that the page of an org offers."""
        own, name = self.admin_site.admin_view, "orgs_salesforceorg"
        return [
            path("delete/", own(self.delete_many_view), name=f"{name}_delete_many"),
            path("<path:object_id>/test/", own(self.test_view), name=f"{name}_test"),
            path("<path:object_id>/make-default/", own(self.default_view), name=f"{name}_make_default"),
            *super().get_urls(),
        ]

    @method_decorator(sensitive_post_parameters("auth_url"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Register an org by what is pasted. No transaction is open while Salesforce is asked."""
        form = RegisterForm(request.POST or None, initial={"username": self._known(request.GET.get("username", ""))})
        if form.is_valid():
            try:
                org = register(Registration(**form.wishes()), by=principal_of(request))
            except OrgError as error:
                add_domain_error(form, error, ERROR_FIELDS, ERROR_ACTIONS)
            else:
                self.message_user(request, f"{org.username} is registered.", messages.SUCCESS)
                return HttpResponseRedirect(self.address("change", org.pk))
        return self.page(request, "console/register.html", title="Register an org", form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show an org, and change what is said of it."""
        org: SalesforceOrg = self.row(request, object_id)
        form = ChangeForm.of(org, request.POST or None)
        if form.is_valid():
            try:
                update_org(org, by=principal_of(request), **form.wishes(org))
            except OrgError as error:
                add_domain_error(form, error, ERROR_FIELDS, ERROR_ACTIONS)
            else:
                self.message_user(request, f"{org.username} is changed.", messages.SUCCESS)
                return HttpResponseRedirect(self.address("change", org.pk))
        return self.page(
            request, "console/org.html", title=org.username, form=form, org=org, facts=self._facts(org),
            health=self._health(org), advice=dashboard.advice(org), metadata_rows=metadata_rows(org.metadata),
            audit_url=audit_url(org.username), open_path=continuation.address(_OPEN, targetOrg=org.username),
        )  # fmt: skip

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Test the connection of one org."""
        org: SalesforceOrg = self.row(request, object_id)
        self.test_connections(request, SalesforceOrg.objects.filter(pk=org.pk))
        return HttpResponseRedirect(self.address("change", org.pk))

    @method_decorator(require_POST)
    def default_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make one org the default DevHub."""
        org: SalesforceOrg = self.row(request, object_id)
        self.make_default(request, SalesforceOrg.objects.filter(pk=org.pk))
        return HttpResponseRedirect(self.address("change", org.pk))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Ask how to delete an org, then do it."""
        return self._delete(request, [self.row(request, object_id)])

    def delete_many_view(self, request: HttpRequest) -> HttpResponse:
        """Ask how to delete the orgs of the query, then do it."""
        ids = re.findall(r"(?<![0-9])[0-9]{1,18}(?![0-9])", request.GET.get("ids", ""))
        orgs = list(self.get_queryset(request).filter(pk__in=ids[:MOST_AT_ONCE]))
        if not orgs:
            raise Http404
        return self._delete(request, orgs)

    def _delete(self, request: HttpRequest, orgs: list[SalesforceOrg]) -> HttpResponse:
        children = [child for org in orgs for child in dependents(org)]
        form = DeleteForm(request.POST if request.method == "POST" else None, has_children=bool(children))
        if form.is_valid():
            for org in orgs:
                try:
                    delete_org(org, by=principal_of(request), **form.cleaned_data)
                except OrgNotFound:
                    continue  # It went with its parent, or somebody else was quicker.
                except OrgError as error:
                    add_domain_error(form, error, {}, ERROR_ACTIONS)
                    break
                self.message_user(request, f"{org.username} is deleted.", messages.SUCCESS)
            else:
                return self.to_list()
        title = f"Delete {orgs[0].username}?" if len(orgs) == 1 else f"Delete {len(orgs)} orgs?"
        return self.page(request, "console/delete_orgs.html", title=title, form=form, orgs=orgs, children=children)

    # --- What is shown of an org -------------------------------------------------------------------------

    def _facts(self, org: SalesforceOrg) -> Iterable[tuple[str, Any]]:
        marks = mark_safe(f"{self.kind_badge(org)} {self.dev_hub_badge(org)}")  # noqa: S308  # badges escape what they show
        return facts(
            ("Kind", marks), ("Org id", org.org_id), ("Instance URL", org.instance_url),
            ("Instance", org.instance_name), ("Type", org.organization_type), ("Sandbox name", org.sandbox_name),
            ("Reached through", org.parent), ("Registered", org.created_at),
        )  # fmt: skip

    def _health(self, org: SalesforceOrg) -> Iterable[tuple[str, Any]]:
        key = org.credential
        shown: list[tuple[str, Any]] = [("State", self.health_badge(org)), ("Refresh token", self.rotation_badge(org))]
        if key is not None:
            times = (("Last success", key.last_success_at), ("Last checked", key.last_checked_at))
            shown += [*times, ("Last used", key.last_used_at)]
        return facts(*shown)

    def _known(self, username: str) -> str:
        """Return a username if an org has it: a link prefills the form with nothing else."""
        found = SalesforceOrg.objects.with_username(username[:255]).first() if "\x00" not in username else None
        return found.username if found else ""

    def _tell(self, request: HttpRequest, error: OrgError) -> None:
        self.message_user(request, f"{error} {ERROR_ACTIONS.get(error.code, error.action)}", messages.ERROR)
