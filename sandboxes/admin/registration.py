"""The console page that registers a sandbox by its name, as `register-sandbox-by-name` does over the API."""

from typing import cast

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from authn.console.admin_base import ConsoleAdmin, add_domain_error, principal_of
from authn.console.site import Page
from orgs.admin.forms import ERROR_FIELDS
from orgs.credentials import OrgError
from orgs.models import Kind, SalesforceOrg
from sandboxes.admin.forms import SandboxByNameForm
from sandboxes.on_demand.registration import register_sandbox

# The form field at which an error is shown, by error code.
_FIELDS = {
    **dict.fromkeys(
        (
            "SANDBOX_NOT_FOUND",
            "SANDBOX_BUSY",
            "SANDBOX_AUTH_REFUSED",
            "NOT_A_SANDBOX",
            *(code for code, field in ERROR_FIELDS.items() if field == "auth_url"),
        ),
        "sandbox_name",
    ),
    **dict.fromkeys(("ORG_NOT_FOUND", "NOT_A_PRODUCTION_ORG", "ORG_UNVERIFIED"), "production_username"),
}


def register_by_name(request: HttpRequest) -> HttpResponse:
    """Register a sandbox. No transaction is open during the calls to Salesforce."""
    orgs = cast(ConsoleAdmin, admin.site.get_model_admin(SalesforceOrg))
    form = SandboxByNameForm(
        request.POST or None, initial={"production_username": _production_username(request.GET.get("parent", ""))}
    )
    if form.is_valid() and form.valid is not None:
        try:
            org = register_sandbox(by=principal_of(request), **form.valid)
        except OrgError as error:
            add_domain_error(form, error, _fields_of(error))
        else:
            orgs.message_user(request, f"{org.username} was registered.", messages.SUCCESS)
            return HttpResponseRedirect(orgs.address("change", org.pk))
    return orgs.page(request, "console/register_sandbox.html", title="Register a sandbox by name", form=form)


PAGE = Page("orgs/salesforceorg/register-sandbox/", "register_sandbox", register_by_name)


def _fields_of(error: OrgError) -> dict[str, str]:
    """Return the fields of the errors. An error about the credential of the production org is shown at that org."""
    about = error.__cause__ if isinstance(error.__cause__, OrgError) else error
    return {error.code: "production_username"} if about.subject else _FIELDS


def _production_username(parent: str) -> str:
    """Return the registered username of a production org that a link names, else of the only one that is registered."""
    orgs = SalesforceOrg.objects.filter(kind=Kind.PRODUCTION).exclude(org_id="")
    named = orgs.with_username(parent[:255]) if "\x00" not in parent else orgs.none()
    found = list((named if parent else orgs)[:2])
    return found[0].username if len(found) == 1 else ""
