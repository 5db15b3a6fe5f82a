"""The console pages of registered orgs. Secrets are never shown.

__init__.py   SalesforceOrgAdmin: list, org page, registration, connection test, deletion. Open this first.
forms.py      The forms of those pages, and what the console says in place of an API error's action.
filters.py    The filters of the list.
deletion.py   The page that confirms the deletion of orgs.
dashboard.py  The panels "Needs attention" and "Orgs by health".
known_state.py  What is known about all credentials, and since when.

Every change goes through the function that the API calls, which checks, locks and audits.
"""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from authn.audit_actions import Action, TargetKind
from authn.console.admin_base import (
    ConsoleAdmin,
    add_domain_error,
    badge,
    detail_rows,
    error_text,
    format_code,
    principal_of,
    time_ago,
)
from authn.console.audit_targets import add_target_page, audit_of
from authn.console.change_forms import refuse_outdated_page, report_update
from authn.console.first_steps import add_first_step
from authn.console.site import ExtraContext, Panel, add_panel
from authn.database.shown_values import ChangedMeanwhile
from authn.models import AuditEvent
from authn.pages import continuation
from orgs.admin import dashboard
from orgs.admin.deletion import deletion_page
from orgs.admin.filters import AttentionFilter, MetadataKeyFilter
from orgs.admin.forms import ERROR_FIELDS, RegisterForm, SettingsForm, metadata_rows
from orgs.connections.report import check_connections
from orgs.credentials.errors import OrgError
from orgs.models import Kind, SalesforceOrg
from orgs.registration import register
from orgs.update import update_org

MAX_ORGS = 100
_CONCURRENCY = 8
_OPEN_ORG = "frontDoorUrl"  # The continue action that opens an org. The app sandboxes registers it.
_KIND_TONES = {Kind.PRODUCTION: "info", Kind.SANDBOX: "calm", Kind.SCRATCH: "calm"}
_ROTATION = {None: ("Unknown", "calm"), True: ("Rotates", "info"), False: ("Static", "calm")}

dashboard.add_alerts(dashboard.ORG_ALERTS)
add_first_step(dashboard.FIRST_STEP)
add_target_page(TargetKind.ORG, SalesforceOrg, has_unique_label=True)
add_panel(Panel("Needs attention", "console/needs.html", dashboard.credential_alerts, place=10, wide=True))
add_panel(Panel("Orgs by health", "console/bars.html", dashboard.orgs_by_health, place=20))


def _changes_of(org: SalesforceOrg) -> QuerySet[AuditEvent]:
    actions = (Action.ORG_CHANGED, Action.ORG_REGISTERED)
    return AuditEvent.objects.filter(action__in=actions, target_kind=TargetKind.ORG, target_id=org.pk)


@admin.register(SalesforceOrg)
class SalesforceOrgAdmin(ConsoleAdmin):
    """List, org page and actions of registered orgs."""

    list_display = (
        "username",
        "health_badge",
        "kind_badge",
        "dev_hub_badge",
        "rotation_badge",
        "sandbox",
        "instance",
        "last_used",
    )
    list_filter = ("kind", "is_dev_hub", "credential__health", "organization_type", AttentionFilter, MetadataKeyFilter)
    search_fields = ("username", "org_id", "instance_url", "instance_name", "sandbox_name")
    search_help_text = "Username, org id, instance or sandbox name."
    ordering = ("username",)
    change_list_template = "console/orgs.html"
    add_label = "Register an org"
    purpose = (
        "Registered orgs are listed here, with the health of their credentials. Users and jobs get access to them "
        "through this desk. Register the first one with its auth URL from the Salesforce CLI."
    )
    actions = ("test_connections", "make_default", "delete_orgs")

    # --- The list ------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[SalesforceOrg]:
        """Return orgs with their parent and credential health, without encrypted columns."""
        return SalesforceOrg.objects.with_related()

    @admin.display(description="Kind", ordering="kind")
    def kind_badge(self, org: SalesforceOrg) -> SafeString:
        """Return the badge of the org's kind."""
        return badge(Kind(org.kind).label, _KIND_TONES[Kind(org.kind)])

    @admin.display(description="DevHub", ordering="is_default")
    def dev_hub_badge(self, org: SalesforceOrg) -> SafeString | str:
        """Return a badge for a DevHub or the default DevHub; nothing for other orgs."""
        if org.is_default:
            return badge("Default DevHub", "good")
        return badge("DevHub", "info") if org.is_dev_hub else ""

    @admin.display(description="Health", ordering="credential__health")
    def health_badge(self, org: SalesforceOrg) -> SafeString:
        """Return the badge of the credential's health."""
        return badge(*dashboard.health_badge(org.credential))

    @admin.display(description="Refresh token", ordering="credential__rotates")
    def rotation_badge(self, org: SalesforceOrg) -> SafeString | str:
        """Return a badge that says whether each refresh replaces the refresh token."""
        return badge(*_ROTATION[org.credential.rotates]) if org.credential else ""

    @admin.display(description="Sandbox", ordering="sandbox_name")
    def sandbox(self, org: SalesforceOrg) -> str:
        """Return the sandbox name; empty for other orgs."""
        return org.sandbox_name

    @admin.display(description="Instance", ordering="instance_name")
    def instance(self, org: SalesforceOrg) -> str:
        """Return the name of the Salesforce instance, such as `USA42S`."""
        return org.instance_name

    # PostgreSQL sorts NULL as the latest time.
    @admin.display(description="Last used", ordering=F("credential__last_used_at").asc(nulls_first=True))
    def last_used(self, org: SalesforceOrg) -> str:
        """Return how long ago a session was last issued; empty if never."""
        at = org.credential.last_used_at if org.credential else None
        return time_ago(at) if at else ""

    @admin.action(description="Test connection", permissions=["change"])
    def test_connections(self, request: HttpRequest, orgs: QuerySet[SalesforceOrg]) -> None:
        """Test the stored credentials at Salesforce, and show one message for each org."""
        rows = list(orgs[: MAX_ORGS + 1])
        if len(rows) > MAX_ORGS:
            text = f"Select at most {MAX_ORGS} orgs, or test all of them with `manage.py check_connections`."
            self.message_user(request, format_code(text), messages.ERROR)
            return
        for checked in check_connections(rows, by=principal_of(request), concurrency=_CONCURRENCY):
            if checked.error is None:
                self.message_user(request, f"{checked.org.username}: the connection works.", messages.SUCCESS)
            else:
                text = format_html("{}: {}", checked.org.username, error_text(checked.error))
                self.message_user(request, text, messages.ERROR if checked.needs_owner else messages.WARNING)

    @admin.action(description="Make default DevHub", permissions=["change"])
    def make_default(self, request: HttpRequest, orgs: QuerySet[SalesforceOrg]) -> None:
        """Make the one selected org the default DevHub."""
        rows = list(orgs[:2])
        if len(rows) != 1:
            self.message_user(request, "Select exactly one org: there is one default DevHub.", messages.ERROR)
            return
        try:
            org = update_org(rows[0], {"is_default": True}, by=principal_of(request))
        except OrgError as error:
            self.message_user(request, error_text(error), messages.ERROR)
        else:
            self.message_user(request, f"{org.username} is now the default DevHub.", messages.SUCCESS)

    @admin.action(description="Delete …", permissions=["delete"])
    def delete_orgs(self, request: HttpRequest, orgs: QuerySet[SalesforceOrg]) -> HttpResponse:
        """Redirect to the page that confirms the deletion of the selected orgs."""
        ids = [str(key) for key in orgs.values_list("pk", flat=True)[:MAX_ORGS]]
        return HttpResponseRedirect(f"{self.address('delete_many')}?ids={','.join(ids)}")

    # --- One org ---------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add the actions of the org page, and the deletion of several orgs."""
        owners_only, name = self.admin_site.admin_view, "orgs_salesforceorg"
        return [
            path("delete/", owners_only(self.delete_many_view), name=f"{name}_delete_many"),
            path("<path:object_id>/test/", owners_only(self.test_view), name=f"{name}_test"),
            path("<path:object_id>/make-default/", owners_only(self.default_view), name=f"{name}_make_default"),
            *super().get_urls(),
        ]

    @method_decorator(sensitive_post_parameters("auth_url"))
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Register an org from a pasted auth URL. No transaction is open during the calls to Salesforce."""
        username = self._registered_username(request.GET.get("username", ""))
        is_default = "default-devhub" in request.GET
        initial = {"username": username, "is_dev_hub": is_default, "is_default": is_default}
        form = RegisterForm(request.POST or None, initial=initial)
        if form.is_valid():
            try:
                org = register(form.registration(), by=principal_of(request))
            except OrgError as error:
                add_domain_error(form, error, ERROR_FIELDS)
            else:
                self.message_user(request, f"{org.username} was registered.", messages.SUCCESS)
                return HttpResponseRedirect(self.address("change", org.pk))
        return self.page(request, "console/register.html", title="Register an org", form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show an org, and change its settings and metadata."""
        org: SalesforceOrg = self.row(request, object_id)
        form = SettingsForm(org, request.POST or None)
        if form.is_outdated:
            return refuse_outdated_page(self, request)
        if form.is_valid():
            try:
                updated = update_org(org, form.changes(), by=principal_of(request), shown=form.shown())
            except ChangedMeanwhile as error:
                org = self.row(request, object_id)
                form.show_changes(org, error.names, _changes_of(org))
            except OrgError as error:
                org = self.row(request, object_id)
                add_domain_error(form, error, ERROR_FIELDS)
                form.show_present(org)
            else:
                report_update(self, request, updated, form, _changes_of(org))
                if org.is_default and not SalesforceOrg.objects.filter(is_default=True).exists():
                    self.message_user(request, "No default DevHub is set now. Set one on its page.", messages.WARNING)
                return HttpResponseRedirect(self.address("change", org.pk))
        return self.page(
            request, "console/org.html", title=org.username, form=form, org=org, rows=self._details(org),
            health=self._health(org), advice=dashboard.advice(org.credential), audit_url=audit_of(org.audit_target),
            metadata_rows=metadata_rows(org.metadata), register_again=dashboard.register_again_url(org),
            open_path=continuation.address(_OPEN_ORG, targetOrg=org.username),
        )  # fmt: skip

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Test the connection of the org of this page."""
        org: SalesforceOrg = self.row(request, object_id)
        self.test_connections(request, SalesforceOrg.objects.filter(pk=org.pk))
        return HttpResponseRedirect(self.address("change", org.pk))

    @method_decorator(require_POST)
    def default_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the org of this page the default DevHub."""
        org: SalesforceOrg = self.row(request, object_id)
        self.make_default(request, SalesforceOrg.objects.filter(pk=org.pk))
        return HttpResponseRedirect(self.address("change", org.pk))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: ExtraContext = None) -> HttpResponse:
        """Delete one org after confirmation."""
        return deletion_page(self, request, [self.row(request, object_id)])

    def delete_many_view(self, request: HttpRequest) -> HttpResponse:
        """Delete the orgs named by `ids` in the query, after confirmation. Raises Http404 if there are none."""
        orgs = list(self.rows_in_query(request))
        if not orgs:
            raise Http404
        return deletion_page(self, request, orgs)

    # --- Details of an org -------------------------------------------------------------------------------

    def _details(self, org: SalesforceOrg) -> Iterable[tuple[str, object]]:
        kind = mark_safe(f"{self.kind_badge(org)} {self.dev_hub_badge(org)}")  # noqa: S308  # badges escape their text
        return detail_rows(
            ("Kind", kind), ("Org id", org.org_id), ("Instance URL", org.instance_url),
            ("Instance", org.instance_name), ("Type", org.organization_type), ("Sandbox name", org.sandbox_name),
            ("Parent org", org.parent), ("Registered", org.created_at),
        )  # fmt: skip

    def _health(self, org: SalesforceOrg) -> Iterable[tuple[str, object]]:
        credential = org.credential
        rows: list[tuple[str, object]] = [
            ("State", self.health_badge(org)),
            ("Refresh token", self.rotation_badge(org)),
        ]
        if credential is not None:
            rows += [
                ("Host not found since", credential.unresolved_since),
                ("Last success", credential.last_success_at),
                ("Last checked", credential.last_checked_at),
                ("Last used", credential.last_used_at),
            ]
        return detail_rows(*rows)

    def _registered_username(self, username: str) -> str:
        """Return the username as registered, or "": a link may prefill the form only with known usernames."""
        found = SalesforceOrg.objects.with_username(username[:255]).first() if "\x00" not in username else None
        return found.username if found else ""
