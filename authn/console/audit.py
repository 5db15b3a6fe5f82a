"""The console's part for the audit: read, filter, search and export."""

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
from authn.console.admin_base import ConsoleAdmin, badge, facts, timestamp_column
from authn.models import AuditEvent

_OUTCOME_TONES = {"granted": "good", "refused": "warn", "failed": "bad"}


class ActionFilter(admin.SimpleListFilter):
    """Rows of one action, under the word that alerts are built on."""

    title = "action"
    parameter_name = "action"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        """Return all actions."""
        return [(action.value, action.value) for action in sorted(Action)]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Keep the rows of an action."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class TimeFilter(admin.DateFieldListFilter):
    """Rows of some last days."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.title = "time"


@admin.register(AuditEvent)
class AuditEventAdmin(ConsoleAdmin):
    """What was done and refused: to be read, filtered, searched and exported, never changed."""

    list_display = (
        timestamp_column("at", "At"),
        "action_code",
        "outcome_badge",
        "who",
        "org",
    )
    list_filter = ("outcome", ActionFilter, "actor_kind", ("at", TimeFilter))
    search_fields = ("actor_name", "org_username", "=actor_id", "=code", "=request_id", "=fingerprint")
    search_help_text = "Person, token or org; or the whole of a code, request id, actor id or fingerprint."
    list_per_page = 100
    change_list_template = "console/audit_list.html"
    actions = None

    @admin.display(description="Action", ordering="action")
    def action_code(self, event: AuditEvent) -> SafeString:
        """Show the word of the action."""
        return format_html("<code>{}</code>", event.action)

    @admin.display(description="Outcome", ordering="outcome")
    def outcome_badge(self, event: AuditEvent) -> SafeString:
        """Show how it ended, and why."""
        outcome = badge(Outcome(event.outcome).label, _OUTCOME_TONES.get(event.outcome, "calm"))
        return format_html("{} <code>{}</code>", outcome, event.code) if event.code else outcome

    @admin.display(description="Who", ordering="actor_name")
    def who(self, event: AuditEvent) -> str:
        """Show who did it."""
        return event.actor_name

    @admin.display(description="Org", ordering="org_username")
    def org(self, event: AuditEvent) -> str:
        """Show to which org."""
        return event.org_username

    def get_urls(self) -> list[URLPattern]:
        """Add the export."""
        export = self.admin_site.admin_view(self.export_view)
        return [path("export.csv", export, name="authn_auditevent_export"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Add nothing by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete nothing: the sweep does, after AUDIT_RETENTION_DAYS."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one row in full."""
        event: AuditEvent = self.row(request, object_id)
        known = facts(
            ("At", f"{event.at:%Y-%m-%d %H:%M:%S.%f} UTC"), ("Action", event.action),
            ("Outcome", self.outcome_badge(event)),
            ("Who", f"{event.actor_kind} {event.actor_name}".strip()), ("Id of that", event.actor_id),
            ("Address", event.address), ("Org", event.org_username),
            ("Fingerprint of what was handed out", event.fingerprint), ("Request", event.request_id),
        )  # fmt: skip
        details = json.dumps(event.details, indent=2, ensure_ascii=False) if event.details else ""
        return self.page(request, "console/event.html", title=f"Audit row {event.pk}", facts=known, details=details)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to the row: nothing ever happens to one."""
        return HttpResponseRedirect(self.address("change", self.row(request, object_id).pk))

    @method_decorator(require_safe)
    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """Export the rows that the list shows under the same filters and search."""
        try:
            shown = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise Http404 from error
        answer = StreamingHttpResponse(audit_csv.lines(shown), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        return answer
