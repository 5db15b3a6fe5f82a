"""The console's pages for users: list, invitation, role and state, password link, lock and sessions."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from authn.audit_actions import Action, TargetKind
from authn.console.admin_base import (
    ConsoleAdmin,
    add_domain_error,
    badge,
    detail_rows,
    principal_of,
    timestamp_column,
)
from authn.console.audit_targets import activity_of, add_target_page, audit_of
from authn.console.change_forms import refuse_outdated_page, report_update
from authn.console.forms import EMAIL_TAKEN, InviteForm, UserForm
from authn.console.locks import Lock, locks_of
from authn.console.site import ExtraContext
from authn.database.shown_values import ChangedMeanwhile
from authn.errors import LastOwner
from authn.models import AuditEvent, User
from authn.pages.password_links import password_link
from authn.roles import Role
from authn.users import add_user, end_sessions, unlock, update_user

add_target_page(TargetKind.PERSON, User, has_unique_label=True)


class ActiveFilter(admin.BooleanFieldListFilter):
    """Filters by whether a user is active."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # Django's own, which the stubs type in full
        super().__init__(*arguments, **options)
        self.title = "active"


class UserList(ChangeList):
    """The list of users, each with the locks of its name."""

    def get_results(self, request: HttpRequest) -> None:
        """Load the page, and the locks of its users in one query."""
        super().get_results(request)
        users = list(self.result_list)
        locks = locks_of(user.email for user in users)
        for user in users:
            user.locks = locks.get(user.email, [])
        self.result_list = users


@admin.register(User)
class UserAdmin(ConsoleAdmin):
    """Users: invite, change the role, deactivate, issue a password link. Never deleted: the audit names them."""

    list_display = (
        "email",
        "role_badge",
        "state_badge",
        timestamp_column("last_login", "Last log-in"),
        timestamp_column("created_at", "Created"),
    )
    list_filter = ("role", ("is_active", ActiveFilter))
    search_fields = ("email",)
    ordering = ("email",)
    add_label = "Invite a user"
    purpose = "Owners and members of this desk are listed here."

    @admin.display(description="Role", ordering="role")
    def role_badge(self, user: User) -> SafeString:
        """Return the role as a badge."""
        return badge(user.get_role_display(), "info" if user.is_owner else "calm")

    @admin.display(description="State", ordering="is_active")
    def state_badge(self, user: User) -> SafeString:
        """Return the state as a badge; UserList has set the locks of the user."""
        return _state(user, getattr(user, "locks", []))

    def get_urls(self) -> list[URLPattern]:
        """Add the actions of the user page."""
        owners_only = self.admin_site.admin_view
        return [
            path("<path:object_id>/password-link/", owners_only(self.link_view), name="authn_user_link"),
            path("<path:object_id>/unlock/", owners_only(self.unlock_view), name="authn_user_unlock"),
            path("<path:object_id>/end-sessions/", owners_only(self.end_sessions_view), name="authn_user_end_sessions"),
            *super().get_urls(),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return the list that knows which users are locked."""
        return UserList

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: users are deactivated, not deleted."""
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: ExtraContext = None) -> HttpResponse:
        """Add a user, and show the link by which the user sets a password."""
        form = InviteForm(request.POST or None)
        if form.is_valid():
            try:
                values = form.cleaned_data
                user = add_user(
                    email=values["email"], role=Role(values["role"]), password=None, by=principal_of(request)
                )
            except ValidationError as error:
                form.add_error("email", error.messages[0])
            except IntegrityError:  # A concurrent request invited the same user.
                form.add_error("email", EMAIL_TAKEN)
            else:
                return self._show_link(request, user, f"{user.email} was invited")
        return self.page(request, "console/form.html", title="Invite a user", form=form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: ExtraContext = None
    ) -> HttpResponse:
        """Show a user, and change role and state."""
        user: User = self.row(request, object_id)
        locks = locks_of([user.email]).get(user.email, [])
        form = UserForm(user, request.POST or None)
        if form.is_outdated:
            return refuse_outdated_page(self, request)
        if form.is_valid():
            try:
                user = update_user(user, by=principal_of(request), **form.changes())
            except LastOwner as error:
                add_domain_error(form, error, {})
            except ChangedMeanwhile as error:
                user = self.row(request, object_id)
                form.show_changes(user, error.names, _changes_of(user))
            else:
                report_update(self, request, user, form, _changes_of(user))
                return self.to_list()
        rows = detail_rows(
            ("State", _state(user, locks)),
            *((f"Locked for {lock.address_block or 'every address'} until", lock.until) for lock in locks),
            ("Last log-in", user.last_login),
            ("Active log-ins", user.login_families.filter(revoked_at=None, expires_at__gt=timezone.now()).count()),
            ("Created", user.created_at),
        )
        return self.page(
            request, "console/user.html", title=user.email, form=form, shown_user=user, rows=rows,
            audit_url=audit_of(user.audit_target), activity_url=activity_of(user.audit_target), is_locked=bool(locks),
        )  # fmt: skip

    @method_decorator(require_POST)
    def link_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Create a link by which the user sets a new password, and show it once."""
        user: User = self.row(request, object_id)
        if not user.is_active:
            self.message_user(request, f"{user.email} is deactivated. Activate the user first.", messages.ERROR)
            return HttpResponseRedirect(self.address("change", user.pk))
        return self._show_link(request, user, f"Password link for {user.email}")

    @method_decorator(require_POST)
    def unlock_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Reset the failed log-ins of a user."""
        user: User = self.row(request, object_id)
        unlock(user, by=principal_of(request))
        self.message_user(request, f"{user.email} can log in again.", messages.SUCCESS)
        return HttpResponseRedirect(self.address("change", user.pk))

    @method_decorator(require_POST)
    def end_sessions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End every log-in and session of a user, who stays active and can log in again."""
        user: User = self.row(request, object_id)
        ended = end_sessions(user, by=principal_of(request))
        text = f"{ended} log-in{'' if ended == 1 else 's'} of {user.email} ended."
        self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(self.address("change", user.pk))

    def _show_link(self, request: HttpRequest, user: User, title: str) -> HttpResponse:
        note = (
            f"Send this link to {user.email} over a private channel: anyone who has it can set the password. It works "
            "once, within three days, and expires when the user logs in."
        )
        link = password_link(user, by=principal_of(request))
        return self.page(
            request, "console/secret.html", title=title, value=link, note=note, back=self.address("changelist")
        )


def _state(user: User, locks: list[Lock]) -> SafeString:
    """Return a badge: active, locked, invited (no password yet) or deactivated."""
    if not user.is_active:
        return badge("Deactivated", "bad")
    if locks:
        return badge("Locked" if any(not lock.address_block for lock in locks) else "Locked for an address", "bad")
    return badge("Active", "good") if user.has_usable_password() else badge("Invited", "warn")


def _changes_of(user: User) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(action=Action.USER_CHANGED, target_kind=TargetKind.PERSON, target_id=user.pk)
