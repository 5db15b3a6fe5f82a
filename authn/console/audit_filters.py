"""The filters of the audit's list. None of them queries which values there are: that would read the whole audit."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from authn.audit_actions import Action, Outcome, TargetKind
from authn.audit_rows.models import AuditEvent, is_line
from authn.console.audit_targets import label_of, rows_about

_Rows = QuerySet[AuditEvent]
_Choices = list[tuple[str, str]]
_ACTORS = [("user", "User"), ("application", "Application token"), ("system", "System"), ("anonymous", "Anonymous")]


class _ColumnFilter(admin.SimpleListFilter):
    """Filters by one of the known values of a column."""

    choices_of_column: ClassVar[_Choices]

    def lookups(self, _request: HttpRequest, _model_admin: object) -> _Choices:
        """Return the known values."""
        return self.choices_of_column

    def queryset(self, _request: HttpRequest, queryset: _Rows) -> _Rows:
        """Keep the rows with the selected value."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class OutcomeFilter(_ColumnFilter):
    """Filters by outcome."""

    title, parameter_name = "outcome", "outcome"
    choices_of_column: ClassVar[_Choices] = list(Outcome.choices)


class KindFilter(_ColumnFilter):
    """Filters by the kind of target."""

    title, parameter_name = "kind of target", "target_kind"
    choices_of_column: ClassVar[_Choices] = list(TargetKind.choices)


class ActorKindFilter(_ColumnFilter):
    """Filters by the kind of actor."""

    title, parameter_name = "kind of actor", "actor_kind"
    choices_of_column: ClassVar[_Choices] = _ACTORS


class ActionFilter(_ColumnFilter):
    """Filters by action, shown by its stable value."""

    title, parameter_name = "action", "action"
    choices_of_column: ClassVar[_Choices] = [(action.value, action.value) for action in sorted(Action)]


class LinesFilter(admin.SimpleListFilter):
    """Shows refresh attempts inside the row that completes them, or each as a row."""

    title, parameter_name = "refresh attempts", "attempts"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> _Choices:
        """Return the choice that is not the default."""
        return [("rows", "As rows of their own")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name the default choice."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Inside the line that they led to"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: _Rows) -> _Rows:
        """Leave completed attempts out, unless this filter or another selects attempts."""
        return queryset if self.value() or asks_for_attempts(request) else queryset.filter(is_line())


class TargetFilter(admin.SimpleListFilter):
    """Shows the audit of one target, which its page links to; not offered otherwise."""

    title, parameter_name = "target", "target"

    def lookups(self, request: HttpRequest, _model_admin: object) -> _Choices:
        """Return the target, if the URL names one."""
        text = request.GET.get(self.parameter_name, "")
        return [(text, label_of(*_target(text)) or text)] if text else []

    def queryset(self, _request: HttpRequest, queryset: _Rows) -> _Rows:
        """Keep the rows about the target."""
        return queryset.filter(rows_about(*_target(self.value() or ""))) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    """Shows what one user or application token did; not offered without one."""

    title, parameter_name = "actor", "actor"

    def lookups(self, request: HttpRequest, _model_admin: object) -> _Choices:
        """Return the actor, if the URL names one."""
        text = request.GET.get(self.parameter_name, "")
        kinds = (TargetKind.PERSON, TargetKind.TOKEN)
        return [(text, next(filter(None, (label_of(kind, text) for kind in kinds)), text))] if text else []

    def queryset(self, _request: HttpRequest, queryset: _Rows) -> _Rows:
        """Keep the rows of the actor."""
        return queryset.filter(actor_id=self.value()) if self.value() else queryset


class DateRangeFilter(admin.ListFilter):
    """Filters by a range of days in UTC, both included, by a form that works without a script."""

    title = "time (UTC)"
    template = "console/date_range_filter.html"
    names = ("from", "to")

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: type[Model], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if text := (params.pop(name, None) or [""])[-1].strip():
                self.used_parameters[name] = text
        # The form keeps the other filters and the search, and begins at the first page.
        self.others = [(name, value) for name, value in request.GET.items() if value and name not in (*self.names, "p")]
        self.error = ""
        days = {name: self._day(name) for name in self.names}
        self.first, self.last = days["from"], days["to"]
        if self.first and self.last and self.first > self.last:
            self.error = "The first day is after the last."

    def has_output(self) -> bool:
        """Return True: the form is always shown."""
        return True

    def expected_parameters(self) -> list[str | None]:
        """Return the names of the two parameters."""
        return list(self.names)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Return links to common ranges, and the values of the form."""
        today = timezone.now().date()
        ranges = {"Any time": None, "Today": 0, "Past 7 days": 6, "Past 30 days": 29}
        for display, days in ranges.items():
            first = "" if days is None else (today - timedelta(days=days)).isoformat()
            selected = self.used_parameters == ({"from": first} if first else {})
            link = changelist.get_query_string({"from": first} if first else {}, list(self.names))
            yield {"display": display, "query_string": link, "selected": selected}

    @property
    def values(self) -> dict[str, str]:
        """The texts of the form."""
        return {"first": self._text("from"), "last": self._text("to")}

    def queryset(self, _request: HttpRequest, queryset: _Rows) -> _Rows:
        """Keep the rows of the range; none if a day cannot be read, so that no wrong list is shown."""
        if self.error:
            return queryset.none()
        if self.first:
            queryset = queryset.filter(at__gte=_midnight(self.first))
        return queryset.filter(at__lt=_midnight(self.last + timedelta(days=1))) if self.last else queryset

    def _text(self, name: str) -> str:
        return str(self.used_parameters.get(name, ""))

    def _day(self, name: str) -> date | None:
        text = self._text(name)
        try:
            day = date.fromisoformat(text) if text else None
        except ValueError:
            day = None
        if text and (day is None or not date(1970, 1, 1) <= day < date(9999, 12, 31)):
            self.error = "Enter each day as YYYY-MM-DD."
            return None
        return day


def asks_for_attempts(request: HttpRequest) -> bool:
    """Return True if another filter selects attempts. Almost all of them are completed, so they are no lines."""
    asked = (request.GET.get("action"), request.GET.get("outcome"))
    return asked[0] in (Action.REFRESH_SENT, Action.REFRESH_ENDED) or asked[1] == Outcome.ATTEMPTED


def _target(text: str) -> tuple[str, str]:
    kind, _, identifier = text.partition(":")
    return kind, identifier


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
