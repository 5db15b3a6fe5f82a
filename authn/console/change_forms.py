"""Forms that change a row: they write what the person changed, and refuse what changed after the page was shown.

The page sends back the values that it showed, as hidden fields. A field that still has its shown value is never
written, however old the page is.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from authn.audit_actions import Outcome
from authn.audit_rows.changes import is_changed
from authn.console.admin_base import ConsoleAdmin, ConsoleForm
from authn.database.shown_values import as_json, same
from authn.models import AuditEvent

_PAGE_IS_OUTDATED = "This page was out of date, so nothing was saved. It is up to date now: make your change again."
_SAVE_AGAIN = (
    "Nothing was saved, because values changed after this page was shown. Check the marked fields: save again to "
    "store your entries, or reload the page to discard them."
)
_MAX_SHOWN_LENGTH = 300
_EVENTS_TO_SEARCH = 50


class ChangeForm(ConsoleForm):
    """Changes columns of a row. Each field has the name of its column.

    `audit_names` has the name in the audit of each column whose name is another there.
    """

    audit_names: Mapping[str, str] = {}

    def __init__(self, row: Model, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.initial = {name: getattr(row, name) for name in self.fields}
        self._present = {name: as_json(value) for name, value in self.initial.items()}
        self._touched: set[str] = set()
        self._shown = {name: _parsed(data, name) for name in self.fields} if data is not None else {}

    @property
    def is_outdated(self) -> bool:
        """Return True if the request does not say what the page had shown, as that of an older release."""
        return self.is_bound and None in self._shown.values()

    def hidden_values(self) -> Iterable[tuple[str, str]]:
        """Return the names and the values of the hidden fields: what this page shows, as JSON."""
        present = self._present
        return [(_hidden_name(name), self._shown.get(name) or present[name]) for name in self.fields]

    def shown(self) -> dict[str, object]:
        """Return the values that the page had shown. Call it on a valid form."""
        return {name: json.loads(text) for name, text in self._shown.items() if text is not None}

    def changed_values(self) -> dict[str, Any]:
        """Return the values that the person changed. Call it on a valid form."""
        shown = self.shown()
        changed = {name: value for name, value in self.cleaned_data.items() if not same(value, shown[name])}
        self._touched |= changed.keys()  # Kept: an error at a field removes its value from `cleaned_data`.
        return changed

    def show_changes(self, row: Model, names: Iterable[str], events: QuerySet[AuditEvent]) -> None:
        """Report what changed meanwhile at its fields, and show the present values of `row` in untouched fields.

        The entries of the person stay, and saving again stores them. `events` are the audit rows about the row.
        """
        self.changed_values()
        for name in names:
            value = getattr(row, name)
            self.add_error(name, ValidationError(self._change_text(name, value, events), code="changed"))
            self._shown[name] = as_json(value)
        self.add_error(None, ValidationError(_SAVE_AGAIN, code="changed"))
        self.show_present(row)

    def changes_of_others(self, row: Model, events: QuerySet[AuditEvent]) -> list[SafeString]:
        """Return what changed since the page was shown, but for the values that the person changed.

        `row` is the row after the change was stored. Call it on a valid form.
        """
        shown, mine = self.shown(), self.changed_values()
        names = [name for name in shown if name not in mine and not same(getattr(row, name), shown[name])]
        return [self._change_text(name, getattr(row, name), events) for name in names]

    def show_present(self, row: Model) -> None:
        """Show the present values of a row in all fields that the person did not touch, and send them as shown."""
        self.changed_values()
        data = cast(QueryDict, self.data).copy()
        for name in self.fields.keys() - self._touched:
            value = getattr(row, name)
            _enter(data, self[name], value)
            self._shown[name] = as_json(value)
        self.data = data

    def _change_text(self, name: str, value: object, events: QuerySet[AuditEvent]) -> SafeString:
        """Return what the value of a field was changed to and, if the audit has it, by whom and when."""
        event = _last_change(events, self.audit_names.get(name, name))
        who = f" by {event.actor_name or event.actor_kind} {_time_ago(event.at)}" if event else ""
        return format_html("{} was {}{}.", self[name].label, _change_of(value), who)


def refuse_outdated_page(pages: ConsoleAdmin, request: HttpRequest) -> HttpResponse:
    """Redirect a change that does not say what its page had shown to that page, with an error message."""
    pages.message_user(request, _PAGE_IS_OUTDATED, messages.ERROR)
    return HttpResponseRedirect(request.get_full_path())


def report_update(
    pages: ConsoleAdmin, request: HttpRequest, row: Model, form: ChangeForm, events: QuerySet[AuditEvent]
) -> None:
    """Show that a row was updated, and what others changed in it since the page was shown."""
    text = f"{row} was updated." if form.changed_values() else f"Nothing was changed in {row}."
    pages.message_user(request, text, messages.SUCCESS)
    for change in form.changes_of_others(row, events):
        pages.message_user(request, format_html("Meanwhile {}", change), messages.WARNING)


def _hidden_name(name: str) -> str:
    return f"shown-{name}"


def _parsed(data: QueryDict, name: str) -> str | None:
    """Return the value that the page had shown in a field, as JSON; None if it was not sent or is malformed."""
    try:
        return as_json(json.loads(str(data[_hidden_name(name)])))
    except (KeyError, ValueError, RecursionError):
        return None


def _enter(data: QueryDict, field: forms.BoundField, value: object) -> None:
    """Write a value into submitted data as a browser sends it: a cleared checkbox is not sent."""
    if not isinstance(field.field, forms.BooleanField):
        data[field.html_name] = str(field.field.prepare_value(value))
    elif value:
        data[field.html_name] = "on"
    else:
        data.pop(field.html_name, None)


def _last_change(events: QuerySet[AuditEvent], name: str) -> AuditEvent | None:
    """Return the newest of the last audit rows that records a change of a value."""
    newest = events.filter(outcome=Outcome.GRANTED).order_by("-id")[:_EVENTS_TO_SEARCH]
    return next((event for event in newest if is_changed(name, event.changes)), None)


def _change_of(value: object) -> SafeString:
    if isinstance(value, bool):
        return SafeString("switched on" if value else "switched off")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[:_MAX_SHOWN_LENGTH]}…"
    return format_html("changed to <code>{}</code>", shown)


def _time_ago(at: datetime) -> str:
    """Return how long ago a time is, by the clock of this machine."""
    seconds = (timezone.now() - at).total_seconds()
    return "less than a minute ago" if seconds < 60 else f"{timesince(at)} ago".replace("\xa0", " ")
