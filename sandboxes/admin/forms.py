"""Console forms of pool instances."""

from django import forms

from authn.console.admin_base import ConsoleForm
from orgs.admin.forms import PastedSecret, UsernameInput, auth_url_in
from orgs.salesforce import MAX_TEXT_WITH_URL_LENGTH
from sandboxes.models import PoolInstance
from sandboxes.pools.serializers import PoolInstanceCreateDto
from sandboxes.pools.stock import NewInstance

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
_INITIAL_STATUSES = [
    (status.value, status.label) for status in (PoolInstance.Status.AVAILABLE, PoolInstance.Status.PROVISIONING)
]


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
        given = {_API_NAMES[name]: value for name, value in self.cleaned_data.items() if value}
        dto = PoolInstanceCreateDto(data=given)
        if not self.errors and not dto.is_valid():
            form_names = {api_name: name for name, api_name in _API_NAMES.items()}
            for api_name, errors in dto.errors.items():
                self.add_error(form_names.get(api_name), [str(error) for error in errors])
        elif not self.errors:
            self.instance = NewInstance(**dto.validated_data)
        return self.cleaned_data
