"""The console's audit pages: list, filters, search and CSV export."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from authn.audit_actions import Action, Outcome
from authn.console import audit_csv
from authn.console.admin_base import ConsoleAdmin, badge, detail_rows, timestamp_column
from authn.console.audit_changes import changed_fields
from authn.console.site import ExtraContext
from authn.models import AuditEvent

_OUTCOME_TONES = {"granted": "good", "refused": "warn", "failed": "bad"}


class ActionFilter(admin.SimpleListFilter):
    """Filters by action, shown by its stable value."""

    title = "action"
    parameter_name = "action"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        """Return all actions."""
        return [(action.value, action.value) for action in sorted(Action)]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Return the rows of the selected action."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class TimeFilter(admin.DateFieldListFilter):
    """Filters by date."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # Django's own, which the stubs type in full
        super().__init__(*arguments, **options)
        self.title = "time"


@admin.register(AuditEvent)
class AuditEventAdmin(ConsoleAdmin):
    """Audit rows, read-only."""

    list_display = (
        timestamp_column("at", "Time"),
        "action_code",
        "outcome_badge",
        "principal",
        "target",
    )
    purpose = "What was issued, changed or refused is listed here, with who requested it. Nothing was recorded yet."
    list_filter = ("outcome", ActionFilter, "actor_kind", ("at", TimeFilter))
    search_fields = ("actor_name", "target_label", "=actor_id", "=code", "=request_id", "=fingerprint")
    search_help_text = "User, token or org; or a complete code, request id, actor id or fingerprint."
    list_per_page = 100
    change_list_template = "console/audit_list.html"
    actions = None

    @admin.display(description="Action", ordering="action")
    def action_code(self, event: AuditEvent) -> SafeString:
        """Return the action's value."""
        return format_html("<code>{}</code>", event.action)

    @admin.display(description="Outcome", ordering="outcome")
    def outcome_badge(self, event: AuditEvent) -> SafeString:
        """Return the outcome, with the error code if there is one."""
        outcome = badge(Outcome(event.outcome).label, _OUTCOME_TONES.get(event.outcome, "calm"))
        return format_html("{} <code>{}</code>", outcome, event.code) if event.code else outcome

    @admin.display(description="Principal", ordering="actor_name")
    def principal(self, event: AuditEvent) -> str:
        """Return the name of the principal."""
        return event.actor_name

    @admin.display(description="Target", ordering="target_label")
    def target(self, event: AuditEvent) -> str:
        """Return the label of the target."""
        return event.target_label

    def get_urls(self) -> list[URLPattern]:
        """Add the CSV export."""
        export = self.admin_site.admin_view(self.export_view)
        return [path("export.csv", export, name="authn_auditevent_export"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: rows are added by the code that acts."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: the sweep deletes rows after AUDIT_RETENTION_DAYS."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: ExtraContext = None
    ) -> HttpResponse:
        """Show one row in full."""
        event: AuditEvent = self.row(request, object_id)
        rows = detail_rows(
            ("Time", f"{event.at:%Y-%m-%d %H:%M:%S.%f} UTC"),
            ("Action", event.action),
            ("Outcome", self.outcome_badge(event)),
            ("Principal", f"{event.actor_kind} {event.actor_name}".strip()),
            ("Principal id", event.actor_id),
            ("Address", event.address),
            (event.get_target_kind_display(), event.target_label),
            ("Target id", event.target_id),
            ("Token fingerprint", event.fingerprint),
            ("Request id", event.request_id),
        )
        details = json.dumps(event.details, indent=2, ensure_ascii=False) if event.details else ""
        return self.page(
            request,
            "console/event.html",
            title=f"Audit event {event.pk}",
            rows=rows,
            details=details,
            changes=changed_fields(event),
        )

    def history_view(self, request: HttpRequest, object_id: str, extra_context: ExtraContext = None) -> HttpResponse:
        """Redirect to the row itself: audit rows never change."""
        return HttpResponseRedirect(self.address("change", self.row(request, object_id).pk))

    @method_decorator(require_safe)
    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """Export the rows of the list, with the same filters and search."""
        try:
            shown = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise Http404 from error
        response = StreamingHttpResponse(audit_csv.lines(shown), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        return response
