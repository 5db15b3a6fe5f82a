"""What the parts of the console have in common: no writing of Django's own, and forms that do a deed.

Rows change by the functions that the API calls too, which check, lock and audit. So everything by
which Django's admin writes rows itself is shut off here, its own history as well.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from authn.models import User
from authn.principals import Principal, principal_for
from authn.web.safe_text import is_safe_text


def badge(text: str, tone: str) -> SafeString:
    """Return a label; `tone` is "good", "bad", "warn", "info" or "calm"."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


def timestamp_column(field: str, label: str) -> Callable[[Any], str]:
    """Return a column for a moment: in UTC, and written as logs write it."""

    @admin.display(description=label, ordering=field)
    def shown(row: Any) -> str:
        at = getattr(row, field)
        return timestamp(at) if at else ""

    return shown


def timestamp(at: datetime, zone: str = "") -> SafeString:
    """Return a moment for people and programs."""
    text = f"{at:%Y-%m-%d %H:%M:%S}{zone}"
    return format_html('<time datetime="{}" title="UTC">{}</time>', at.isoformat(), text)


def format_code(text: str) -> SafeString:
    """Return a text whose parts between backticks are marked as code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if odd % 2 else part,) for odd, part in parts)
    )


def principal_of(request: HttpRequest) -> Principal:
    """Return the owner who is at the console."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return principal_for(request.user, request)


def add_domain_error(form: forms.BaseForm, error: Any, fields: Mapping[str, str], actions: Mapping[str, str]) -> None:
    """Show a domain error at the field that `fields` names for its code, with what to do about it.

    `actions` holds what to do where the error's own words are about the API.
    """
    name = fields.get(error.code)
    text = f"{error} {actions.get(error.code, error.action)}"
    form.add_error(name if name in form.fields else None, ValidationError(format_code(text), code=error.code))


class ConsoleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes no type argument at run time
    """A part of the console. Subclasses show rows and call the functions that change them."""

    list_per_page = 50
    show_full_result_count = False
    # They count all rows once more for each choice of each filter: minutes, on an audit that has grown.
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "console/list.html"
    # What the button above the list says.
    add_label = ""
    # What of a row its audit rows are found by.
    audit_key = ""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list. A query that holds characters of no name is refused before a database is asked."""
        if not all(is_safe_text(value, lines=True) for values in request.GET.lists() for value in values[1]):
            raise SuspiciousOperation("A query that no text field can hold.")
        shown = {"title": str(self.opts.verbose_name_plural).capitalize(), "add_label": self.add_label}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:  # type: ignore[override]  # the stubs know less
        """Run an action on the rows that were ticked; made-up ids are no rows."""
        known = self.model._meta.pk
        try:
            for value in request.POST.getlist("_selected_action"):
                known.clean(value, None)
        except ValidationError:
            self.message_user(request, "These rows are not here.", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Admit the look-ups of our own filters alone: by any other, a hash could be guessed letter by letter."""
        names = {_parameter_of(each) for each in self.list_filter}
        name, _, end = lookup.rpartition("__")
        return lookup in names or (name in names and end in ("exact", "isnull", "gte", "lt", "in"))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Lead to what the audit holds of a row."""
        return HttpResponseRedirect(audit_url(str(getattr(self.row(request, object_id), self.audit_key))))

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Delete nothing, unless a subclass knows how."""
        raise Http404

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Return a row by the id in an address. Raises Http404."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row

    def page(self, request: HttpRequest, template: str, *, title: str, **context: Any) -> TemplateResponse:
        """Return a page of the console."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, template, {**frame, **context})

    def to_list(self) -> HttpResponse:
        """Lead back to the list."""
        return HttpResponseRedirect(self.address("changelist"))

    def address(self, name: str, *arguments: Any) -> str:
        """Return the address of one of this part's views."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=arguments)

    # Django calls these to note what it wrote. The audit does that, in the transaction of the deed.
    def log_addition(self, *_: Any, **__: Any) -> Any:
        """Note nothing."""

    def log_change(self, *_: Any, **__: Any) -> Any:
        """Note nothing."""

    def log_deletions(self, *_: Any, **__: Any) -> Any:
        """Note nothing."""

    def save_model(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: a row that Django writes here is neither checked nor audited."""
        raise NotImplementedError("The console changes rows by the functions of the apps.")

    save_related = delete_model = delete_queryset = save_model


class ConsoleForm(forms.Form):
    """A form of the console: `deed` is what its button says, `is_dangerous` whether it destroys something."""

    submit_label = "Save"
    is_dangerous = False


def _parameter_of(list_filter: Any) -> str:
    """Return the name under which a filter stands in a query: of a field, of a field with its class, or its own."""
    if isinstance(list_filter, type):
        return str(getattr(list_filter, "parameter_name", ""))
    return list_filter if isinstance(list_filter, str) else str(list_filter[0])


def audit_url(text: str) -> str:
    """Return the address of the audit rows that are found by a text."""
    return f"{reverse('admin:authn_auditevent_changelist')}?{urlencode({'q': text})}"


def facts(*pairs: tuple[str, Any]) -> Iterable[tuple[str, Any]]:
    """Return the labels and values that say something, for a table of facts."""
    known = [(label, value) for label, value in pairs if value not in (None, "")]
    return [(label, timestamp(value, " UTC") if isinstance(value, datetime) else value) for label, value in known]
