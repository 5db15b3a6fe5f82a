"""Console forms of orgs: registration, settings, deletion."""

import json
from collections.abc import Sequence
from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from authn.console.admin_base import ConsoleForm, format_code
from authn.console.change_forms import ChangeForm
from authn.web.strict_json import NotStrictJSON, read_json
from orgs.auth_url_validation import parse_auth_url
from orgs.credentials.ownership import CredentialOwner
from orgs.errors import InvalidSfdxAuthUrl
from orgs.lookup import is_name
from orgs.metadata import Metadata, check_metadata
from orgs.registration import Registration
from orgs.salesforce import MAX_TEXT_WITH_URL_LENGTH
from orgs.update import API_NAMES, OrgChanges
from orgs.usernames import MAX_LENGTH, SECRET_MESSAGE, is_secret

# The hidden fields of the deletion page.
_LISTED = "shown-children"
# The form field at which an error is shown, by error code. Other errors are shown above the form.
ERROR_FIELDS = {
    **dict.fromkeys(
        (
            "INVALID_SFDX_AUTH_URL",
            "REDACTED_SFDX_AUTH_URL",
            "CREDENTIAL_EXPIRED",
            "LOST_ANSWER",
            "APP_REJECTED",
            "APP_NOT_INSTALLED",
            "APP_BLOCKED",
            "API_ACCESS_DENIED",
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


class PastedSecret(forms.Textarea):
    """A text area that is always rendered empty: a form with errors must not send the secret back."""

    def format_value(self, value: object) -> str:
        """Return an empty string."""
        return ""


class UsernameInput(forms.TextInput):
    """An input that renders usernames only: other text may be a secret, pasted into the wrong field."""

    def format_value(self, value: object) -> str | None:
        """Return the value if it looks like a username, else None."""
        text = str(value or "")
        return text if is_name(text) else None


class MetadataField(forms.CharField):
    """A JSON object, edited as text."""

    def __init__(self) -> None:
        attributes = {"rows": 6, "spellcheck": "false", "data-metadata": "", "class": "code"}
        help_text = (
            'A JSON object such as {"team": "platform", "tier": 1}. '
            "Its strings, numbers and booleans can be used to filter orgs."
        )
        super().__init__(required=False, strip=True, widget=forms.Textarea(attrs=attributes), help_text=help_text)

    def prepare_value(self, value: object) -> object:
        """Return stored metadata as text to edit, and submitted text unchanged."""
        return metadata_text(value) if isinstance(value, dict) else value

    def clean(self, value: object) -> Metadata | None:
        """Return the metadata, or None for an empty field. Raises ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return check_metadata(read_json(text))
        except NotStrictJSON as error:
            raise ValidationError(str(error), code="invalid") from error


def auth_url_in(pasted: str) -> str:
    """Return the auth URL in a pasted text. The ValidationError for one without never repeats a part of it."""
    try:
        return parse_auth_url(pasted).reveal()
    except InvalidSfdxAuthUrl as error:
        raise ValidationError(format_code(f"{error} {error.page_action}"), code=error.code) from error


def metadata_text(metadata: Metadata) -> str:
    """Return metadata as indented JSON, for editing."""
    return json.dumps(metadata, indent=2, ensure_ascii=False) if metadata else "{}"


def metadata_rows(metadata: Metadata) -> list[tuple[str, str]]:
    """Return metadata as pairs of key and JSON text, sorted by key."""
    return [(key, json.dumps(value, ensure_ascii=False)) for key, value in sorted(metadata.items())]


class RegisterForm(ConsoleForm):
    """Registers an org. An empty field keeps the stored value of an org that is registered already."""

    submit_label = "Register"
    auth_url = forms.CharField(
        label="Auth URL",
        max_length=MAX_TEXT_WITH_URL_LENGTH,
        strip=False,
        widget=PastedSecret(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text="Paste the output of sf org auth show-sfdx-auth-url -o <alias> --json, or the URL in it. "
        "It is stored encrypted and never shown again.",
    )
    username = forms.CharField(
        required=False,
        max_length=MAX_LENGTH,
        widget=UsernameInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        label="Expected username",
        help_text="If you enter one, an auth URL of any other user is refused.",
    )
    is_dev_hub = forms.BooleanField(label="DevHub", required=False, help_text="Verified with Salesforce.")
    is_default = forms.BooleanField(
        label="Default DevHub", required=False, help_text="Replaces the current default DevHub."
    )
    metadata = MetadataField()

    def clean_auth_url(self) -> str:
        """Return the auth URL in the pasted text."""
        return auth_url_in(self.cleaned_data["auth_url"])

    def clean_username(self) -> str:
        """Refuse text that is not a username: it is shown in messages, which must never hold an auth URL."""
        username = str(self.cleaned_data["username"])
        if username and not is_name(username):
            message = SECRET_MESSAGE if is_secret(username) else "Not a valid Salesforce username."
            raise ValidationError(message, code="invalid")
        return username

    def registration(self) -> Registration:
        """Return the argument of register(). An empty field or cleared checkbox keeps what is stored."""
        given = self.cleaned_data
        return Registration(
            sfdx_auth_url=given["auth_url"],
            username=given["username"] or None,
            is_dev_hub=given["is_dev_hub"] or None,
            is_default=given["is_default"] or None,
            metadata=given["metadata"],
        )


class SettingsForm(ChangeForm):
    """Changes the settings and the metadata of an org."""

    audit_names = API_NAMES
    is_dev_hub = forms.BooleanField(label="DevHub", required=False, help_text="Not verified with Salesforce.")
    is_default = forms.BooleanField(
        label="Default DevHub", required=False, help_text="Replaces the current default DevHub."
    )
    member_frontdoor = forms.BooleanField(
        label="Open to members",
        required=False,
        help_text="Allows members to open this production org or DevHub in the browser. "
        "They may always open sandboxes and scratch orgs.",
    )
    metadata = MetadataField()

    def clean_metadata(self) -> Metadata:
        """Return the metadata; an empty field clears it."""
        return self.cleaned_data["metadata"] or {}

    def changes(self) -> OrgChanges:
        """Return the values that the person changed."""
        return cast(OrgChanges, self.changed_values())


class DeleteForm(ConsoleForm):
    """Confirms the deletion of orgs. Deleting the rows that depend on them must be confirmed separately.

    The page sends back which of these rows it listed: only they are deleted.
    """

    submit_label = "Delete"
    is_dangerous = True
    cascade = forms.BooleanField(
        label="Also delete the orgs that depend on them",
        help_text="Those in the second list.",
        error_messages={
            "required": "Tick this box to delete the second list as well: its orgs cannot be used without the first. "
            "To keep them, cancel."
        },
    )
    revoke = forms.BooleanField(
        label="Revoke the refresh tokens at Salesforce first",
        required=False,
        help_text="Other holders of the same tokens lose access too. "
        "If Salesforce cannot be reached, nothing is deleted.",
    )

    def __init__(self, data: QueryDict | None, children: Sequence[CredentialOwner]) -> None:
        super().__init__(data)
        self.children = children
        self._listed = data.getlist(_LISTED) if data is not None else []
        if not children:
            del self.fields["cascade"]

    def hidden_values(self) -> list[tuple[str, str]]:
        """Return the hidden fields: the rows that this page lists."""
        return [(_LISTED, _row_name(child)) for child in self.children]

    def list_again(self, children: Sequence[CredentialOwner]) -> None:
        """List rows that were added after the page was shown: deleting them must be confirmed again."""
        data = cast(QueryDict, self.data).copy()
        data.pop("cascade", None)
        self.data, self.children = data, children
        self.fields = {"cascade": self.base_fields["cascade"], **self.fields}

    def cascade_to(self) -> list[CredentialOwner]:
        """Return the rows that may be deleted with the orgs: those that the page had listed, if this was ticked."""
        listed = [child for child in self.children if _row_name(child) in self._listed]
        return listed if self.cleaned_data.get("cascade") else []


def _row_name(row: CredentialOwner) -> str:
    return f"{type(row).__name__}-{row.pk}"
