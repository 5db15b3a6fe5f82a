"""The console's audit pages: list, one row, and CSV export. Filters and search are in modules of their own."""

import json

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from authn.audit_actions import Action, Outcome
from authn.console import audit_csv, audit_filters, audit_search
from authn.console.admin_base import ConsoleAdmin, badge, detail_rows, refuse_unsafe_query, timestamp_column
from authn.console.audit_changes import changed_fields
from authn.console.audit_list import AuditChangeList, CappedPaginator
from authn.console.audit_targets import page_urls
from authn.console.site import ExtraContext
from authn.models import AuditEvent

_OUTCOME_TONES = {"granted": "good", "refused": "warn", "failed": "bad"}


@admin.register(AuditEvent)
class AuditEventAdmin(ConsoleAdmin):
    """Audit rows, read-only."""

    list_display = (timestamp_column("at", "Time"), "action_code", "outcome_badge", "target", "actor", "address")
    list_filter = (
        audit_filters.TargetFilter,
        audit_filters.ActorFilter,
        audit_filters.DateRangeFilter,
        audit_filters.KindFilter,
        audit_filters.OutcomeFilter,
        audit_filters.ActorKindFilter,
        audit_filters.LinesFilter,
        audit_filters.ActionFilter,
    )
    purpose = "What was issued, changed or refused is listed here, with who requested it. Nothing was recorded yet."
    # Django shows the search if there are fields; `get_search_results` decides what is searched.
    search_fields = ("target_label",)
    search_help_text = (
        "Start of a user, token, org or instance; an address or network (203.0.113.0/24); or a complete error code, "
        "request id, id or fingerprint."
    )
    ordering = ("-at", "-id")
    # Sorting by another column would read the whole table.
    sortable_by = ()
    list_select_related = ("attempt",)
    list_per_page = 100
    list_max_show_all = 0
    paginator = CappedPaginator
    change_list_template = "console/audit_list.html"
    actions = None

    @admin.display(description="Action")
    def action_code(self, event: AuditEvent) -> SafeString:
        """Return the action's value, and how long its refresh took."""
        code = format_html("<code>{}</code>", event.action)
        if event.attempt is None:
            return code
        seconds = (event.at - event.attempt.at).total_seconds()
        return format_html('{} <span class="quiet">after {} s</span>', code, f"{seconds:.1f}")

    @admin.display(description="Outcome")
    def outcome_badge(self, event: AuditEvent) -> SafeString:
        """Return the outcome, with the error code if there is one."""
        outcome = badge(Outcome(event.outcome).label, _OUTCOME_TONES.get(event.outcome, "calm"))
        return format_html("{} <code>{}</code>", outcome, event.code) if event.code else outcome

    @admin.display(description="Target")
    def target(self, event: AuditEvent) -> SafeString | str:
        """Return the label of the target, as a link to its page if it still exists."""
        return _target_link(event, event.page_url)

    @admin.display(description="Actor")
    def actor(self, event: AuditEvent) -> str:
        """Return the name of the actor."""
        return event.actor_name

    def get_urls(self) -> list[URLPattern]:
        """Add the CSV export."""
        export = self.admin_site.admin_view(self.export_view)
        return [path("export.csv", export, name="authn_auditevent_export"), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **_: object) -> type[ChangeList]:
        """Return the class of the list."""
        return AuditChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Search by the indexes only. Says so if the text is a network that cannot be searched, and finds nothing."""
        if not search_term.strip():
            return queryset, False
        try:
            return queryset.filter(audit_search.condition(search_term)), False
        except audit_search.UnsupportedNetwork as error:
            self.message_user(request, str(error), messages.WARNING)
            return queryset.none(), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the two parameters of the range of days too."""
        return lookup in audit_filters.DateRangeFilter.names or super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: rows are added by the code that acts."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: the sweep deletes rows after AUDIT_RETENTION_DAYS."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: ExtraContext = None
    ) -> HttpResponse:
        """Show one row in full, with the attempt inside it."""
        event: AuditEvent = self.row(request, object_id)
        page_url = page_urls([event]).get((event.target_kind, event.target_id), "")
        rows = detail_rows(
            ("Time", _precise(event)), ("Action", event.action), ("Outcome", self.outcome_badge(event)),
            (event.get_target_kind_display() or "Target", _target_link(event, page_url)),
            ("Target id", event.target_id), ("Actor", f"{event.actor_kind} {event.actor_name}".strip()),
            ("Actor id", event.actor_id), ("Address", event.address), ("Token fingerprint", event.fingerprint),
            ("Request id", event.request_id),
        )  # fmt: skip
        is_attempt = event.action == Action.REFRESH_SENT
        return self.page(
            request,
            "console/event.html",
            title=f"Audit event {event.pk}",
            rows=rows,
            changes=changed_fields(event),
            details=json.dumps(event.details, indent=2, ensure_ascii=False) if event.details else "",
            attempts=[(attempt, _precise(attempt), self.outcome_badge(attempt)) for attempt in event.attempts()],
            is_attempt=is_attempt,
            completed_by=event.completed_by.first() if is_attempt else None,
        )

    def history_view(self, request: HttpRequest, object_id: str, extra_context: ExtraContext = None) -> HttpResponse:
        """Redirect to the row itself: audit rows never change."""
        return HttpResponseRedirect(self.address("change", self.row(request, object_id).pk))

    @method_decorator(require_safe)
    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """Export the rows of the list, with the same filters and search. Raises SuspiciousOperation as it does."""
        refuse_unsafe_query(request)
        try:
            shown = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise Http404 from error
        response = StreamingHttpResponse(audit_csv.lines(shown), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M%S}.csv"'
        return response


def _precise(event: AuditEvent) -> str:
    return f"{event.at:%Y-%m-%d %H:%M:%S.%f} UTC"


def _target_link(event: AuditEvent, page_url: str) -> SafeString | str:
    return format_html('<a href="{}">{}</a>', page_url, event.target_label) if page_url else event.target_label
