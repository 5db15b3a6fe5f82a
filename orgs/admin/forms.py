"""The forms of the console for orgs: register by pasting, change, delete."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from authn.console.admin_base import ConsoleForm
from authn.web.strict_json import NotStrictJSON, read_json
from orgs.metadata import check_metadata
from orgs.models import SalesforceOrg
from orgs.salesforce import InvalidAuthUrl, from_paste
from orgs.usernames import MAX_LENGTH, is_username_like

# At which field of a form an error is shown, by its code; any other stands above the form.
ERROR_FIELDS = {
    **dict.fromkeys(
        (
            "INVALID_SFDX_AUTH_URL",
            "REDACTED_SFDX_AUTH_URL",
            "CREDENTIAL_EXPIRED",
            "LOST_ANSWER",
            "APP_REJECTED",
            "APP_NOT_INSTALLED",
            "USER_NOT_APPROVED",
            "USER_INACTIVE",
            "IP_NOT_ALLOWED",
            "ORG_GONE",
            "ORG_ID_MISMATCH",
            "UPSTREAM_REFUSED",
        ),
        "auth_url",
    ),
    "USERNAME_MISMATCH": "username",
    "NOT_A_DEVHUB": "is_dev_hub",
    "DEFAULT_NEEDS_DEVHUB": "is_default",
    "UNVERIFIED_DEFAULT": "is_default",
}
# What to do, where the error's own words are about the API.
_PASTE = "paste what `sf org auth show-sfdx-auth-url -o <alias> --json` prints."
_PASTE_ANOTHER = f"Log in to the org with `sf org login web`, then {_PASTE}"
ERROR_ACTIONS = {
    "INVALID_SFDX_AUTH_URL": _PASTE.capitalize(),
    "CREDENTIAL_EXPIRED": _PASTE_ANOTHER,
    "LOST_ANSWER": _PASTE_ANOTHER,
    "ORG_ID_MISMATCH": _PASTE_ANOTHER,
    "USERNAME_MISMATCH": "Write that username, or leave the field empty.",
    "NOT_A_DEVHUB": "Enable Dev Hub in the org's Setup, or untick this.",
    "DEFAULT_NEEDS_DEVHUB": "Tick DevHub as well, if this org is a DevHub.",
    "UNVERIFIED_DEFAULT": "Test its connection first.",
    "HAS_CHILDREN": "Load the page again to agree to that.",
}


class PastedSecret(forms.Textarea):
    """A text area that never shows what was typed into it: a form that comes back must not repeat a secret."""

    def format_value(self, value: Any) -> str:
        """Return nothing."""
        return ""


class UsernameInput(forms.TextInput):
    """An input that shows usernames alone: what else was typed may be the secret, pasted into the wrong field."""

    def format_value(self, value: Any) -> str | None:
        """Return a username, or None."""
        text = str(value or "")
        return text if is_username_like(text) else None


class MetadataField(forms.CharField):
    """JSON typed by a person; the page shows its keys as rows beside it."""

    def __init__(self) -> None:
        marks = {"rows": 6, "spellcheck": "false", "data-metadata": "", "class": "code"}
        help_text = 'A JSON object such as {"team": "platform", "tier": 1}. Orgs can be found by its plain values.'
        super().__init__(required=False, strip=True, widget=forms.Textarea(attrs=marks), help_text=help_text)

    def clean(self, value: Any) -> Any:
        """Return the object, or None for an empty field. Raises ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return check_metadata(read_json(text))
        except NotStrictJSON as error:
            raise ValidationError(str(error), code="invalid") from error


def metadata_text(metadata: dict[str, Any]) -> str:
    """Return metadata as a person edits it."""
    return json.dumps(metadata, indent=2, ensure_ascii=False) if metadata else "{}"


def metadata_rows(metadata: dict[str, Any]) -> list[tuple[str, str]]:
    """Return metadata as rows of key and JSON text."""
    return [(key, json.dumps(value, ensure_ascii=False)) for key, value in sorted(metadata.items())]


class RegisterForm(ConsoleForm):
    """An auth URL, and what is said of the org. What is left out keeps what is stored of an org already."""

    submit_label = "Register"
    auth_url = forms.CharField(
        label="Auth URL",
        max_length=65_536,
        strip=False,
        widget=PastedSecret(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text="Paste the JSON that sf org auth show-sfdx-auth-url -o <alias> --json prints, or the URL in it. "
        "It is kept encrypted and never shown again.",
    )
    username = forms.CharField(
        required=False,
        max_length=MAX_LENGTH,
        widget=UsernameInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        label="Username, to be sure",
        help_text="If you write one, an auth URL of any other user is refused.",
    )
    is_dev_hub = forms.BooleanField(label="DevHub", required=False, help_text="Salesforce is asked whether it is one.")
    is_default = forms.BooleanField(
        label="Default DevHub", required=False, help_text="Takes the place of the present one."
    )
    metadata = MetadataField()

    def clean_auth_url(self) -> str:
        """Take the auth URL out of whatever was pasted. The message never repeats a part of it."""
        try:
            return from_paste(self.cleaned_data["auth_url"])
        except InvalidAuthUrl as error:
            raise ValidationError(f"{error} {ERROR_ACTIONS['INVALID_SFDX_AUTH_URL']}", code=error.code) from error

    def clean_username(self) -> str:
        """Refuse what is no username: it is shown in messages, where an auth URL must never get to."""
        username = str(self.cleaned_data["username"])
        if username and not is_username_like(username):
            raise ValidationError("This is no Salesforce username.", code="invalid")
        return username

    def wishes(self) -> dict[str, Any]:
        """Return what register() wants."""
        given = self.cleaned_data
        return {
            "sfdx_auth_url": given["auth_url"],
            "username": given["username"] or None,
            "is_dev_hub": given["is_dev_hub"] or None,
            "is_default": given["is_default"] or None,
            "metadata": given["metadata"],
        }


class ChangeForm(ConsoleForm):
    """What an owner says of an org."""

    is_dev_hub = forms.BooleanField(label="DevHub", required=False, help_text="Salesforce is not asked.")
    is_default = forms.BooleanField(
        label="Default DevHub", required=False, help_text="Takes the place of the present one."
    )
    member_frontdoor = forms.BooleanField(
        label="Open to members",
        required=False,
        help_text="Members may open this org in the browser, although it is a production org or a DevHub. "
        "Sandboxes and scratch orgs are open to them anyway.",
    )
    metadata = MetadataField()

    @classmethod
    def of(cls, org: SalesforceOrg, data: Any = None) -> "ChangeForm":
        """Return the form for an org."""
        names = ("is_dev_hub", "is_default", "member_frontdoor")
        initial = {name: getattr(org, name) for name in names} | {"metadata": metadata_text(org.metadata)}
        return cls(data, initial=initial)

    def wishes(self, org: SalesforceOrg) -> dict[str, Any]:
        """Return what change_org() wants: what differs from the org."""
        given = self.cleaned_data | {"metadata": self.cleaned_data["metadata"] or {}}
        return {name: value for name, value in given.items() if value != getattr(org, name)}


class DeleteForm(ConsoleForm):
    """How to delete orgs. Those that are reached through them are named, and must be agreed to."""

    submit_label = "Delete"
    is_dangerous = True
    cascade = forms.BooleanField(label="Delete what is reached through them too")
    revoke = forms.BooleanField(
        label="Revoke the refresh tokens at Salesforce first",
        required=False,
        help_text="Whoever else uses the same tokens loses them too. "
        "If Salesforce cannot be reached, nothing is deleted.",
    )

    def __init__(self, *arguments: Any, has_children: bool, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if not has_children:
            del self.fields["cascade"]
