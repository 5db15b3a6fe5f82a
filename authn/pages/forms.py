"""The forms of the pages for people: log-in, change of a password, a new password by link."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from authn.models import User
from authn.web.safe_text import validate_safe_text

MAX_PASSWORD_LENGTH = 1024
_RULES = "At least 12 characters, no common password, and not like your e-mail."


def _password(label: str, autocomplete: str, **more: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=MAX_PASSWORD_LENGTH, widget=widget, **more)


class LoginForm(forms.Form):
    """E-mail and password. Says nothing of what an e-mail looks like: whoever mistypes it is told so by the answer."""

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        validators=[validate_safe_text],
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = _password("Password", "current-password")


class NewPasswordForm(forms.Form):
    """A new password, twice, for a person."""

    new = _password("New password", "new-password", help_text=_RULES)
    again = _password("New password again", "new-password")

    def __init__(self, *arguments: Any, person: User, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.person = person

    def clean_new(self) -> str:
        """Return the password. Raises ValidationError for a weak one."""
        new = str(self.cleaned_data["new"])
        validate_password(new, self.person)
        return new

    def clean(self) -> dict[str, Any]:
        """Compare the two."""
        values = self.cleaned_data
        if {"new", "again"} <= set(values) and values["new"] != values["again"]:
            self.add_error("again", ValidationError("The two passwords differ.", code="differ"))
        return values


class ChangePasswordForm(NewPasswordForm):
    """The present password, and a new one."""

    field_order = ("present", "new", "again")
    present = _password("Present password", "current-password")
