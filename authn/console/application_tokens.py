"""The console's pages for application tokens: list, creation, one token, revocation."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from authn import tokens
from authn.audit_actions import TargetKind
from authn.console.admin_base import ConsoleAdmin, badge, detail_rows, principal_of, timestamp_column
from authn.console.audit_targets import activity_of, add_target_page, audit_of
from authn.console.forms import ConfirmForm, TokenForm
from authn.console.site import ExtraContext
from authn.errors import TokenNotFound
from authn.models import ApplicationToken

add_target_page(TargetKind.TOKEN, ApplicationToken, has_unique_label=False)


class TokenStateFilter(admin.SimpleListFilter):
    """Filters by state."""

    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: object) -> list[tuple[str, str]]:
        """Return the states."""
        return [("good", "Active"), ("expired", "Expired"), ("revoked", "Revoked")]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[ApplicationToken]) -> QuerySet[ApplicationToken]:
        """Return the tokens in the selected state."""
        now = timezone.now()
        kept = {
            "good": Q(revoked_at=None, expires_at__gt=now),
            "expired": Q(revoked_at=None, expires_at__lte=now),
            "revoked": Q(revoked_at__isnull=False),
        }
        return queryset.filter(kept.get(self.value() or "", Q()))


@admin.register(ApplicationToken)
class ApplicationTokenAdmin(ConsoleAdmin):
    """Application tokens: created and shown once, listed by their first characters, revoked."""

    list_display = (
        "name",
        "prefix",
        "state_badge",
        timestamp_column("expires_at", "Expires"),
        timestamp_column("last_used_at", "Last used"),
        timestamp_column("created_at", "Created"),
        "created_by",
    )
    list_filter = (TokenStateFilter,)
    add_label = "Create a token"
    purpose = (
        "A CI job calls the API with an application token, which expires and can be revoked. Create one for each "
        "pipeline, and store it as a secret there."
    )
    search_fields = ("name", "prefix", "created_by_name")

    @admin.display(description="State")
    def state_badge(self, token: ApplicationToken) -> SafeString:
        """Return the state as a badge."""
        if token.revoked_at is not None:
            return badge("Revoked", "bad")
        return badge("Active", "good") if token.expires_at > timezone.now() else badge("Expired", "calm")

    @admin.display(description="Created by", ordering="created_by_name")
    def created_by(self, token: ApplicationToken) -> str:
        """Return the name of the token's creator."""
        return token.created_by_name

    def get_urls(self) -> list[URLPattern]:
        """Add the revocation."""
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [path("<path:object_id>/revoke/", revoke, name="authn_applicationtoken_revoke"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: tokens are revoked, not deleted."""
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: ExtraContext = None) -> HttpResponse:
        """Create a token and show it once."""
        form = TokenForm(request.POST or None)
        if not form.is_valid():
            return self.page(request, "console/form.html", title="Create an application token", form=form)
        _row, value = tokens.issue(**form.cleaned_data, by=principal_of(request))
        note = f"Copy it now: it is shown only once. It expires on {form.expiry_date()}, unless it is revoked before."
        title = f"Token for {form.cleaned_data['name']}"
        back = self.address("changelist")
        return self.page(request, "console/secret.html", title=title, value=value, note=note, back=back)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: ExtraContext = None
    ) -> HttpResponse:
        """Show a token; it cannot be changed."""
        token: ApplicationToken = self.row(request, object_id)
        rows = detail_rows(
            ("State", self.state_badge(token)), ("Prefix", token.prefix), ("Created by", token.created_by_name),
            ("Created", token.created_at), ("Expires", token.expires_at), ("Last used", token.last_used_at),
            ("Revoked", token.revoked_at), ("Id", token.id),
        )  # fmt: skip
        return self.page(
            request,
            "console/token.html",
            title=token.name,
            token=token,
            rows=rows,
            audit_url=audit_of(token.audit_target),
            activity_url=activity_of(token.audit_target),
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Confirm and revoke a token."""
        token: ApplicationToken = self.row(request, object_id)
        form = ConfirmForm(request.POST if request.method == "POST" else None, submit_label="Revoke")
        if form.is_valid():
            try:
                tokens.revoke(str(token.pk), by=principal_of(request))
                self.message_user(request, f"{token.name} was revoked.", messages.SUCCESS)
            except TokenNotFound:
                self.message_user(request, f"{token.name} was already revoked.", messages.WARNING)
            return self.to_list()
        note = f"Jobs that use {token} will be refused. This cannot be undone."
        return self.page(request, "console/form.html", title=f"Revoke {token.name}?", form=form, note=note)
