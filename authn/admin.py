"""The console's part of authn: people and application tokens; the audit is in console_audit.py."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from authn import tokens
from authn.console import audit, dashboard  # noqa: F401  # importing the first registers its part
from authn.console.admin_base import (
    ConsoleAdmin,
    add_domain_error,
    audit_url,
    badge,
    facts,
    principal_of,
    timestamp_column,
)
from authn.console.forms import ConfirmForm, InviteForm, PersonForm, TokenForm
from authn.console.site import Panel, add_panel
from authn.errors import LastOwner, TokenNotFound
from authn.models import ApplicationToken, User
from authn.pages.password_links import password_link
from authn.roles import Role
from authn.users import add_user, update_user

add_panel(Panel("Access tokens per day", "console/columns.html", dashboard.tokens_per_day, place=30))
add_panel(Panel("Access tokens per principal", "console/bars.html", dashboard.tokens_per_principal, place=40))


class ActiveFilter(admin.BooleanFieldListFilter):
    """People who may log in, or may not."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.title = "may log in"


@admin.register(User)
class UserAdmin(ConsoleAdmin):
    """People: invite, change role, switch off, give a password link. Nobody is deleted: the audit names them."""

    list_display = (
        "email",
        "role_badge",
        "state_badge",
        timestamp_column("last_login", "Last log-in"),
        timestamp_column("created_at", "Since"),
    )
    list_filter = ("role", ("is_active", ActiveFilter))
    search_fields = ("email",)
    ordering = ("email",)
    add_label = "Invite a person"
    audit_key = "email"

    @admin.display(description="Role", ordering="role")
    def role_badge(self, person: User) -> SafeString:
        """Show the role."""
        return badge(person.get_role_display(), "info" if person.is_owner else "calm")

    @admin.display(description="State", ordering="is_active")
    def state_badge(self, person: User) -> SafeString:
        """Show whether the person may log in."""
        if not person.is_active:
            return badge("Switched off", "bad")
        return badge("Active", "good") if person.has_usable_password() else badge("Invited", "warn")

    def get_urls(self) -> list[URLPattern]:
        """Add the link for a new password."""
        link = self.admin_site.admin_view(self.link_view)
        return [path("<path:object_id>/password-link/", link, name="authn_user_link"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete nobody: switch people off."""
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Invite a person, and show the link by which the person sets a password."""
        form = InviteForm(request.POST or None)
        if form.is_valid():
            try:
                wanted = form.cleaned_data
                person = add_user(
                    email=wanted["email"], role=Role(wanted["role"]), password=None, by=principal_of(request)
                )
            except ValidationError as error:
                form.add_error("email", error.messages[0])
            except IntegrityError:  # Somebody else invited the same person at this moment.
                form.add_error("email", "A person with this e-mail is here already.")
            else:
                return self._show_link(request, person, f"{person.email} is invited")
        return self.page(request, "console/form.html", title="Invite a person", form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a person, and change what the person may do."""
        person: User = self.row(request, object_id)
        form = PersonForm(request.POST or None, initial={"role": person.role, "is_active": person.is_active})
        if request.method == "POST" and form.is_valid():
            try:
                update_user(person, by=principal_of(request), **form.wishes())
            except LastOwner as error:
                add_domain_error(form, error, {}, {})
            else:
                self.message_user(request, f"{person.email} is changed.", messages.SUCCESS)
                return self.to_list()
        known = facts(
            ("State", self.state_badge(person)), ("Last log-in", person.last_login), ("Since", person.created_at)
        )
        return self.page(
            request, "console/person.html", title=person.email, form=form, person=person, facts=known,
            audit_url=audit_url(person.email),
        )  # fmt: skip

    @method_decorator(require_POST)
    def link_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a link by which a person sets a new password, and show it this once."""
        person: User = self.row(request, object_id)
        if not person.is_active:
            self.message_user(request, f"{person.email} is switched off; switch on first.", messages.ERROR)
            return HttpResponseRedirect(self.address("change", person.pk))
        return self._show_link(request, person, f"Password link for {person.email}")

    def _show_link(self, request: HttpRequest, person: User, title: str) -> HttpResponse:
        note = (
            f"Send this link to {person.email} by a way that only that person reads. It works once, within three days, "
            "and ends when the person logs in. Whoever has it sets the password."
        )
        link = password_link(person, by=principal_of(request))
        return self.page(
            request, "console/secret.html", title=title, value=link, note=note, back=self.address("changelist")
        )


class TokenStateFilter(admin.SimpleListFilter):
    """Which tokens still work."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        """Return the states."""
        return [("good", "Good"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[ApplicationToken]) -> QuerySet[ApplicationToken]:
        """Keep the tokens of a state."""
        now = timezone.now()
        kept = {
            "good": Q(revoked_at=None, expires_at__gt=now),
            "expired": Q(revoked_at=None, expires_at__lte=now),
            "revoked": Q(revoked_at__isnull=False),
        }
        return queryset.filter(kept.get(self.value() or "", Q()))


@admin.register(ApplicationToken)
class ApplicationTokenAdmin(ConsoleAdmin):
    """The keys of CI jobs: made here and shown once, listed by their first characters, revoked."""

    list_display = (
        "name",
        "prefix",
        "state_badge",
        timestamp_column("expires_at", "Good until"),
        timestamp_column("last_used_at", "Last used"),
        timestamp_column("created_at", "Made"),
        "made_by",
    )
    list_filter = (TokenStateFilter,)
    add_label = "Make a token"
    search_fields = ("name", "prefix", "created_by_name")
    audit_key = "id"

    @admin.display(description="State")
    def state_badge(self, token: ApplicationToken) -> SafeString:
        """Show whether the token works."""
        if token.revoked_at is not None:
            return badge("Revoked", "bad")
        return badge("Good", "good") if token.expires_at > timezone.now() else badge("Expired", "calm")

    @admin.display(description="By", ordering="created_by_name")
    def made_by(self, token: ApplicationToken) -> str:
        """Show who made the token."""
        return token.created_by_name

    def get_urls(self) -> list[URLPattern]:
        """Add the revocation."""
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [path("<path:object_id>/revoke/", revoke, name="authn_applicationtoken_revoke"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete no token: revoke it."""
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Make a token and show it this once."""
        form = TokenForm(request.POST or None)
        if not form.is_valid():
            return self.page(request, "console/form.html", title="Make an application token", form=form)
        _row, value = tokens.issue(**form.cleaned_data, by=principal_of(request))
        note = f"Copy it now: it is shown this once. It is good until {form.ends()}, or until it is revoked."
        title = f"Token for {form.cleaned_data['name']}"
        back = self.address("changelist")
        return self.page(request, "console/secret.html", title=title, value=value, note=note, back=back)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show what is known of a token; nothing of it can be changed."""
        token: ApplicationToken = self.row(request, object_id)
        known = facts(
            ("State", self.state_badge(token)), ("Begins with", token.prefix), ("Made by", token.created_by_name),
            ("Made at", token.created_at), ("Good until", token.expires_at), ("Last used", token.last_used_at),
            ("Revoked at", token.revoked_at), ("Id", token.id),
        )  # fmt: skip
        return self.page(
            request,
            "console/token.html",
            title=token.name,
            token=token,
            facts=known,
            audit_url=audit_url(str(token.pk)),
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then revoke a token."""
        token: ApplicationToken = self.row(request, object_id)
        form = ConfirmForm(request.POST if request.method == "POST" else None, submit_label="Revoke")
        if form.is_valid():
            try:
                tokens.revoke(str(token.pk), by=principal_of(request))
                self.message_user(request, f"{token.name} is revoked. It works nowhere any more.", messages.SUCCESS)
            except TokenNotFound:
                self.message_user(request, f"{token.name} was revoked already.", messages.WARNING)
            return self.to_list()
        note = f"Jobs that use {token} are refused from then on. This cannot be taken back."
        return self.page(request, "console/form.html", title=f"Revoke {token.name}?", form=form, note=note)
