"""The forms of the console for pools."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from authn.console.admin_base import ConsoleForm
from orgs.admin.forms import PastedSecret, UsernameInput
from orgs.salesforce import InvalidAuthUrl, from_paste
from sandboxes.models import PoolInstance
from sandboxes.pools.serializers import PoolInstanceCreateDto
from sandboxes.pools.stock import NewInstance

# The API's names of the fields, whose checks are used here too.
_NAMES = {
    "repository": "repository",
    "pool_tag": "poolTag",
    "name": "name",
    "type": "type",
    "status": "status",
    "username": "username",
    "parent_username": "parentUsername",
    "auth_url": "sfdxAuthUrl",
}
_STATES = [choice for choice in PoolInstance.Status.choices if choice[0] in ("AVAILABLE", "PROVISIONING")]


class AddForm(ConsoleForm):
    """An instance to add to a pool."""

    submit_label = "Add"
    repository = forms.CharField(max_length=255, help_text="org/repo or org/project/repo.")
    pool_tag = forms.CharField(label="Pool", max_length=100, help_text="The tag by which jobs ask for it.")
    type = forms.ChoiceField(choices=PoolInstance.Type.choices, widget=forms.RadioSelect, initial="SANDBOX")
    name = forms.CharField(max_length=255, help_text="For a sandbox, its sandbox name.")
    status = forms.ChoiceField(choices=_STATES, widget=forms.RadioSelect, initial="AVAILABLE")
    username = forms.CharField(required=False, max_length=255, widget=UsernameInput)
    parent_username = forms.CharField(
        label="Reached through",
        required=False,
        max_length=255,
        widget=UsernameInput,
        help_text="The username of its registered production org or DevHub.",
    )
    auth_url = forms.CharField(
        label="Auth URL of its own",
        required=False,
        max_length=65_536,
        strip=False,
        widget=PastedSecret(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text="In place of a parent. It is kept encrypted and never shown again.",
    )

    def clean_auth_url(self) -> str:
        """Take the auth URL out of whatever was pasted."""
        try:
            return from_paste(self.cleaned_data["auth_url"])
        except InvalidAuthUrl as error:
            raise ValidationError(str(error), code=error.code) from error

    def clean(self) -> dict[str, Any]:
        """Let the API's own checks look at it, and show what they say at the fields."""
        given = {_NAMES[name]: value for name, value in self.cleaned_data.items() if value}
        dto = PoolInstanceCreateDto(data=given)
        if not self.errors and not dto.is_valid():
            ours = {theirs: name for name, theirs in _NAMES.items()}
            for theirs, errors in dto.errors.items():
                self.add_error(ours.get(theirs), [str(error) for error in errors])
        elif not self.errors:
            self.instance = NewInstance(**dto.validated_data)
        return self.cleaned_data
