"""The base class of the console's admin pages, and helpers for their lists and forms.

Rows are changed only by the functions that the API calls, which check, lock and audit. Everything by which
Django's admin writes rows itself is disabled here, including its own history.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from authn.console.audit_targets import audit_of
from authn.console.site import ExtraContext
from authn.errors import DomainError
from authn.models import User
from authn.principals import Principal, principal_for
from authn.web.safe_text import is_safe_text

# How many rows a page that acts on a selection takes.
_MAX_SELECTED = 100


def badge(text: str, tone: str) -> SafeString:
    """Return a badge; `tone` is "good", "bad", "warn", "info" or "calm"."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


def timestamp_column(field: str, label: str) -> Callable[[Model], str]:
    """Return a list column for a timestamp, in UTC."""

    @admin.display(description=label, ordering=field)
    def shown(row: Model) -> str:
        at = getattr(row, field)
        return timestamp(at) if at else ""

    return shown


def timestamp(at: datetime, zone: str = "") -> SafeString:
    """Return a timestamp as a <time> element; `zone` is appended to the text."""
    text = f"{at:%Y-%m-%d %H:%M:%S}{zone}"
    return format_html('<time datetime="{}" title="UTC">{}</time>', at.isoformat(), text)


def time_ago(at: datetime) -> SafeString:
    """Return how long ago a timestamp was, in its largest unit, as a <time> element with the timestamp as its title."""
    ago = timesince(at, depth=1)
    text = "just now" if ago.startswith("0") else f"{ago} ago"
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, text)


def format_code(text: str) -> SafeString:
    """Return a text with its parts between backticks as <code> elements."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if odd % 2 else part,) for odd, part in parts)
    )


def principal_of(request: HttpRequest) -> Principal:
    """Return the principal of the console's user. Raises PermissionDenied for an anonymous request."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return principal_for(request.user, request)


def refuse_unsafe_query(request: HttpRequest) -> None:
    """Raise SuspiciousOperation for a query string with unsafe characters. PostgreSQL fails on NUL."""
    if not all(is_safe_text(value, lines=True) for _, values in request.GET.lists() for value in values):
        raise SuspiciousOperation("The query string has unsafe characters.")


def error_text(error: DomainError) -> SafeString:
    """Return what happened and what to do about it on a page."""
    return format_code(f"{error} {error.page_action}")


def add_domain_error(form: forms.BaseForm, error: DomainError, fields: Mapping[str, str]) -> None:
    """Add a domain error, with its action for pages, to the field that `fields` names for its code."""
    name = fields.get(error.code)
    form.add_error(name if name in form.fields else None, ValidationError(error_text(error), code=error.code))


class ConsoleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes no type argument at run time
    """The admin pages of one model. Subclasses show rows and call the functions that change them."""

    list_per_page = 50
    show_full_result_count = False
    # Facets count all rows again for each choice of each filter, which takes minutes on a long audit.
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "console/list.html"
    # The label of the button above the list.
    add_label = ""
    # What an empty list is for and what comes next.
    purpose = ""

    def changelist_view(self, request: HttpRequest, extra_context: ExtraContext = None) -> HttpResponse:
        """Show the list. Raises SuspiciousOperation for a search with unsafe characters, before any query."""
        refuse_unsafe_query(request)
        shown = {
            "title": str(self.opts.verbose_name_plural).capitalize(),
            "add_label": self.add_label,
            "purpose": self.purpose,
        }
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def response_action(self, request: HttpRequest, queryset: QuerySet[Model]) -> HttpResponseBase | None:  # type: ignore[override]  # the stubs return bool
        """Run an action on the selected rows; rejects malformed ids."""
        primary_key = self.model._meta.pk
        try:
            for value in request.POST.getlist("_selected_action"):
                primary_key.clean(value, None)
        except ValidationError:
            self.message_user(request, "The selected rows do not exist.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the lookups of `list_filter`: by others, a hash could be guessed character by character."""
        names = {_parameter_of(each) for each in self.list_filter}
        name, _, end = lookup.rpartition("__")
        return lookup in names or (name in names and end in ("exact", "isnull", "gte", "lt", "in"))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: ExtraContext = None) -> HttpResponse:
        """Redirect to the audit rows of a row."""
        return HttpResponseRedirect(audit_of(self.row(request, object_id).audit_target))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: ExtraContext = None) -> HttpResponse:
        """Raise Http404; subclasses may implement deletion."""
        raise Http404

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Return a row by the id in the URL. Raises Http404. Callers annotate its type."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def page(self, request: HttpRequest, template: str, *, title: str, **context: object) -> TemplateResponse:
        """Return a page in the console's layout."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, {**frame, **context})

    def rows_in_query(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows named by `ids` in the query, a comma-separated list. Malformed ids are ignored."""
        primary_key, keys = self.model._meta.pk, []
        for text in request.GET.get("ids", "").split(",")[:_MAX_SELECTED]:
            with suppress(ValidationError):
                keys.append(primary_key.clean(text, None))
        return self.get_queryset(request).filter(pk__in=keys)

    def to_list(self) -> HttpResponse:
        """Redirect to the list."""
        return HttpResponseRedirect(self.address("changelist"))

    def address(self, name: str, *arguments: object) -> str:
        """Return the URL of a view of this admin."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=arguments)

    # Django's history is disabled: the audit row is written in the transaction of the change.
    def log_addition(self, *_: object, **__: object) -> None:  # type: ignore[override]  # returns no LogEntry
        """Do nothing."""

    def log_change(self, *_: object, **__: object) -> None:  # type: ignore[override]  # returns no LogEntry
        """Do nothing."""

    def log_deletions(self, *_: object, **__: object) -> None:  # type: ignore[override]  # returns no LogEntry
        """Do nothing."""

    def save_model(self, *_: object, **__: object) -> NoReturn:
        """Raise NotImplementedError: a row that Django writes is neither checked nor audited."""
        raise NotImplementedError("The console changes rows through the functions of the apps.")

    save_related = delete_model = delete_queryset = save_model


class ConsoleForm(forms.Form):
    """A form of the console: `submit_label` is on its button, which `is_dangerous` marks as destructive.

    After an error the browser focuses the first wrong field or, if none is, the error above the form.
    """

    submit_label = "Save"
    is_dangerous = False

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error, and mark the first wrong field for `autofocus`."""
        super().add_error(field, error)
        for name in self.fields:
            self.fields[name].widget.attrs.pop("autofocus", None)
        widget = self.fields[self.focused].widget if self.focused in self.fields else None
        # The template focuses a group of radio buttons: each button would get the attribute.
        if widget is not None and not widget.use_fieldset:
            widget.attrs["autofocus"] = True

    @property
    def focused(self) -> str:
        """Return the name of the first wrong field, "above" if only the form as a whole is wrong, else ""."""
        errors = self.errors if self.is_bound else {}
        return next((name for name in self.fields if name in errors), "above" if errors else "")


def _parameter_of(list_filter: object) -> str:
    """Return the query parameter of a filter: a filter class, a field, or a field with its filter class."""
    if isinstance(list_filter, type):
        return str(getattr(list_filter, "parameter_name", ""))
    return str(list_filter[0]) if isinstance(list_filter, list | tuple) else str(list_filter)


def audit_url(text: str) -> str:
    """Return the URL of the audit rows that a search text finds."""
    return f"{reverse('admin:authn_auditevent_changelist')}?{urlencode({'q': text})}"


def detail_rows(*pairs: tuple[str, object]) -> Iterable[tuple[str, object]]:
    """Return the rows of a detail table: labels and values, without empty values."""
    known = [(label, value) for label, value in pairs if value not in (None, "")]
    return [(label, timestamp(value, " UTC") if isinstance(value, datetime) else value) for label, value in known]
