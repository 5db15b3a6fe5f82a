"""The forms of the console for people and application tokens."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from authn.console.admin_base import ConsoleForm
from authn.email_addresses import canonical_email
from authn.models import User
from authn.roles import Role
from authn.tokens import DEFAULT_DAYS, MAX_DAYS
from authn.web.safe_text import validate_safe_text

_ROLES = (
    (Role.MEMBER.value, "Member: opens sandboxes and scratch orgs"),
    (Role.OWNER.value, "Owner: may do everything"),
)


class InviteForm(ConsoleForm):
    """Whom to invite, and as what."""

    submit_label = "Invite"
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        validators=[validate_safe_text],
        help_text="The name for log-in. No mail is sent.",
    )
    role = forms.ChoiceField(choices=_ROLES, widget=forms.RadioSelect, initial=Role.MEMBER)

    def clean_email(self) -> str:
        """Refuse an e-mail that somebody has already, in whichever spelling."""
        email = canonical_email(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise ValidationError("A person with this e-mail is here already.", code="taken")
        return email


class PersonForm(ConsoleForm):
    """What a person may do."""

    role = forms.ChoiceField(choices=_ROLES, widget=forms.RadioSelect)
    is_active = forms.BooleanField(
        label="May log in",
        required=False,
        help_text="Switching a person off ends every session and token of the person at once.",
    )

    def wishes(self) -> dict[str, Any]:
        """Return what change_user wants."""
        return {"role": Role(self.cleaned_data["role"]), "is_active": self.cleaned_data["is_active"]}


class TokenForm(ConsoleForm):
    """What a new application token is for, and for how long."""

    submit_label = "Make token"
    name = forms.CharField(
        max_length=100,
        validators=[validate_safe_text],
        help_text="What it is for, such as the name of a pipeline.",
    )
    days = forms.IntegerField(
        label="Good for (days)",
        min_value=1,
        max_value=MAX_DAYS,
        initial=DEFAULT_DAYS,
        help_text=f"At most {MAX_DAYS}. Shorter is safer.",
    )

    def ends(self) -> str:
        """Return the day on which the token ends."""
        return f"{timezone.now() + timedelta(days=self.cleaned_data['days']):%d %B %Y}"


class ConfirmForm(ConsoleForm):
    """A deed that is asked about first and needs nothing but a yes."""

    is_dangerous = True

    def __init__(self, *arguments: Any, submit_label: str, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.submit_label = submit_label
