"""Console forms of pool instances and of sandboxes that are registered by name."""

from collections.abc import Mapping
from typing import Any

from django import forms
from rest_framework.serializers import Serializer

from authn.console.admin_base import ConsoleForm
from orgs.admin.forms import PastedSecret, UsernameInput, auth_url_in
from orgs.salesforce import MAX_TEXT_WITH_URL_LENGTH
from orgs.usernames import MAX_LENGTH
from sandboxes.models import PoolInstance
from sandboxes.names import is_sandbox_name
from sandboxes.pools.serializers import PoolInstanceCreateDto
from sandboxes.pools.stock import NewInstance
from sandboxes.serializers import SandboxRegistrationByNameDto

# The name in the API of each form field. The form runs the API's own field checks.
_API_NAMES = {
    "repository": "repository",
    "pool_tag": "poolTag",
    "name": "name",
    "type": "type",
    "status": "status",
    "username": "username",
    "parent_username": "parentUsername",
    "auth_url": "sfdxAuthUrl",
}
_BY_NAME_API_NAMES = {"sandbox_name": "sandboxName", "production_username": "productionUsername"}
_INITIAL_STATUSES = [
    (status.value, status.label) for status in (PoolInstance.Status.AVAILABLE, PoolInstance.Status.PROVISIONING)
]


class SandboxNameInput(forms.TextInput):
    """An input that renders sandbox names only: other text may be a secret, pasted into the wrong field."""

    def format_value(self, value: object) -> str | None:
        """Return the value if it is a sandbox name, else None."""
        text = str(value or "")
        return text if is_sandbox_name(text) else None


class AddForm(ConsoleForm):
    """Adds an instance to a pool. After validation, `instance` holds it."""

    submit_label = "Add"
    repository = forms.CharField(max_length=255, help_text="As org/repo, group/subgroup/repo or org/My Project/repo.")
    pool_tag = forms.CharField(label="Pool", max_length=100, help_text="The pool tag that jobs send.")
    type = forms.ChoiceField(
        choices=PoolInstance.Type.choices, widget=forms.RadioSelect, initial=PoolInstance.Type.SANDBOX
    )
    name = forms.CharField(max_length=255, help_text="The sandbox name, for a sandbox.")
    status = forms.ChoiceField(
        choices=_INITIAL_STATUSES, widget=forms.RadioSelect, initial=PoolInstance.Status.AVAILABLE
    )
    username = forms.CharField(required=False, max_length=255, widget=UsernameInput)
    parent_username = forms.CharField(
        label="Parent org",
        required=False,
        max_length=255,
        widget=UsernameInput,
        help_text="Username of the registered production org or DevHub that gives access to it.",
    )
    auth_url = forms.CharField(
        label="Own auth URL",
        required=False,
        max_length=MAX_TEXT_WITH_URL_LENGTH,
        strip=False,
        widget=PastedSecret(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text="Instead of a parent org. It is stored encrypted and never shown again.",
    )

    def clean_auth_url(self) -> str:
        """Return the auth URL in the pasted text, "" for none."""
        pasted = str(self.cleaned_data["auth_url"])
        return auth_url_in(pasted) if pasted.strip() else ""

    def clean(self) -> dict[str, object]:
        """Run the API's field checks, and show their errors at the form fields."""
        if (valid := _checked_by_api(self, PoolInstanceCreateDto, _API_NAMES)) is not None:
            self.instance = NewInstance(**valid)
        return self.cleaned_data


class SandboxByNameForm(ConsoleForm):
    """Registers a sandbox through its production org, without an auth URL. After validation, `valid` is filled in."""

    submit_label = "Register"
    sandbox_name = forms.CharField(
        label="Sandbox name",
        max_length=MAX_LENGTH,
        widget=SandboxNameInput(attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}),
        help_text="As in the production org, under Setup > Sandboxes.",
    )
    production_username = forms.CharField(
        label="Production org",
        max_length=MAX_LENGTH,
        widget=UsernameInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Username of the registered production org that the sandbox belongs to. "
        "Only the user who created or last refreshed the sandbox has access to it.",
    )

    def clean(self) -> dict[str, object]:
        """Run the API's field checks, and show their errors at the form fields."""
        self.valid = _checked_by_api(self, SandboxRegistrationByNameDto, _BY_NAME_API_NAMES)
        return self.cleaned_data


def _checked_by_api(
    form: ConsoleForm, dto_class: type[Serializer[object]], api_names: Mapping[str, str]
) -> dict[str, Any] | None:
    """Return what the API reads from the values of a form; None if it refuses one, with the error at its field."""
    dto = dto_class(data={api_names[name]: value for name, value in form.cleaned_data.items() if value})
    if form.errors:
        return None
    if dto.is_valid():
        valid: dict[str, Any] = dto.validated_data
        return valid
    form_names = {api_name: name for name, api_name in api_names.items()}
    for api_name, errors in dto.errors.items():
        form.add_error(form_names.get(api_name), [str(error) for error in errors])
    return None
