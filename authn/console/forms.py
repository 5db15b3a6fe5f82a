"""The console's forms for users and application tokens."""

from datetime import timedelta
from typing import TypedDict

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from authn.console.admin_base import ConsoleForm
from authn.console.change_forms import ChangeForm
from authn.database.shown_values import Values
from authn.models import User
from authn.roles import Role
from authn.tokens import DEFAULT_DAYS, MAX_DAYS
from authn.web.email_addresses import canonical_email
from authn.web.safe_text import validate_safe_text

EMAIL_TAKEN = "A user with this e-mail already exists."
_ROLES = (
    (Role.MEMBER.value, "Member: can open sandboxes and scratch orgs"),
    (Role.OWNER.value, "Owner: full access"),
)


class UserChanges(TypedDict):
    """The arguments of `authn.users.update_user`."""

    role: Role | None
    is_active: bool | None
    shown: Values


class InviteForm(ConsoleForm):
    """E-mail and role of a new user."""

    submit_label = "Invite"
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        validators=[validate_safe_text],
        help_text="Used to log in. No e-mail is sent.",
    )
    role = forms.ChoiceField(choices=_ROLES, widget=forms.RadioSelect, initial=Role.MEMBER)

    def clean_email(self) -> str:
        """Return the canonical e-mail. Raises ValidationError if a user has it, in any spelling."""
        email = canonical_email(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise ValidationError(EMAIL_TAKEN, code="taken")
        return email


class UserForm(ChangeForm):
    """Role and state of a user."""

    audit_names = {"is_active": "active"}
    role = forms.ChoiceField(choices=_ROLES, widget=forms.RadioSelect)
    is_active = forms.BooleanField(
        label="Active",
        required=False,
        help_text="Deactivating a user ends every session and token of the user at once.",
    )

    def changes(self) -> UserChanges:
        """Return the arguments of `update_user`: the values that the person changed, and those that were shown."""
        changed = self.changed_values()
        role = changed.get("role")
        return {"role": Role(role) if role else None, "is_active": changed.get("is_active"), "shown": self.shown()}


class TokenForm(ConsoleForm):
    """Name and lifetime of a new application token."""

    submit_label = "Create token"
    name = forms.CharField(
        max_length=100,
        validators=[validate_safe_text],
        help_text="The purpose of the token, such as the name of a pipeline.",
    )
    days = forms.IntegerField(
        label="Expires in (days)",
        min_value=1,
        max_value=MAX_DAYS,
        initial=DEFAULT_DAYS,
        help_text=f"At most {MAX_DAYS} days.",
    )

    def expiry_date(self) -> str:
        """Return the day on which the token expires."""
        return f"{timezone.now() + timedelta(days=self.cleaned_data['days']):%d %B %Y}"


class ConfirmForm(ConsoleForm):
    """A confirmation of a destructive action. `shown` has the text that says what the action would end.

    The page sends it back, so that an action whose consequence changed meanwhile is confirmed again.
    """

    is_dangerous = True

    def __init__(self, data: QueryDict | None = None, *, submit_label: str, shown: str = "") -> None:
        super().__init__(data)
        self.submit_label = submit_label
        self._present = shown

    def hidden_values(self) -> list[tuple[str, str]]:
        """Return the hidden field with what this page shows."""
        return [("shown-state", self._present)]

    def shown(self) -> str:
        """Return what the page had shown."""
        return str(self.data.get("shown-state", ""))
