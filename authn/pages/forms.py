"""The forms for log-in, password change and password links."""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import QueryDict

from authn.models import User
from authn.web.safe_text import validate_safe_text

MAX_PASSWORD_LENGTH = 1024
_RULES = "At least 12 characters, not a common password, and not similar to your e-mail."


def _password(label: str, autocomplete: str, help_text: str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, strip=False, max_length=MAX_PASSWORD_LENGTH, widget=widget, help_text=help_text)


class LoginForm(forms.Form):
    """E-mail and password. The e-mail is not validated: a mistyped one is refused like an unknown one."""

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        validators=[validate_safe_text],
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = _password("Password", "current-password")


class NewPasswordForm(forms.Form):
    """A new password of a user, entered twice."""

    new = _password("New password", "new-password", help_text=_RULES)
    again = _password("New password again", "new-password")

    def __init__(self, data: QueryDict | None = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean_new(self) -> str:
        """Return the password. Raises ValidationError for a weak one."""
        new = str(self.cleaned_data["new"])
        validate_password(new, self.user)
        return new

    def clean(self) -> dict[str, object]:
        """Compare the two passwords."""
        values = self.cleaned_data
        if {"new", "again"} <= set(values) and values["new"] != values["again"]:
            self.add_error("again", ValidationError("The passwords do not match.", code="mismatch"))
        return values


class ChangePasswordForm(NewPasswordForm):
    """The current password, and a new one."""

    field_order = ("current", "new", "again")
    current = _password("Current password", "current-password")
