"""The page that confirms the deletion of orgs, with what is reached through them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from authn.console.admin_base import ConsoleAdmin, add_domain_error, principal_of
from orgs.admin.forms import DeleteForm
from orgs.credentials.errors import OrgError
from orgs.credentials.ownership import CredentialOwner
from orgs.deletion import delete_org, dependents
from orgs.errors import HasChildren, OrgNotFound
from orgs.models import SalesforceOrg


def deletion_page(pages: ConsoleAdmin, request: HttpRequest, orgs: list[SalesforceOrg]) -> HttpResponse:
    """Delete orgs after confirmation, and redirect to the list.

    What depends on them is deleted only if the page had listed it: a row that was added since is shown first.
    """
    form = DeleteForm(request.POST if request.method == "POST" else None, _dependents(orgs))
    if form.is_valid() and _delete(pages, request, orgs, form):
        return pages.to_list()
    title = f"Delete {orgs[0].username}?" if len(orgs) == 1 else f"Delete {len(orgs)} orgs?"
    return pages.page(request, "console/delete_orgs.html", title=title, form=form, orgs=orgs, children=form.children)


def _delete(pages: ConsoleAdmin, request: HttpRequest, orgs: list[SalesforceOrg], form: DeleteForm) -> bool:
    """Delete the orgs one by one. Returns False at the first error, which is added to the form."""
    by = principal_of(request)
    for org in orgs:
        try:
            delete_org(org, by=by, cascade=form.cascade_to(), revoke=form.cleaned_data["revoke"])
        except OrgNotFound:
            continue  # It was deleted with its parent, or by a concurrent request.
        except HasChildren as error:
            form.list_again(_dependents(orgs))
            add_domain_error(form, error, {})
            return False
        except OrgError as error:
            add_domain_error(form, error, {})
            return False
        pages.message_user(request, f"{org.username} was deleted.", messages.SUCCESS)
    return True


def _dependents(orgs: list[SalesforceOrg]) -> list[CredentialOwner]:
    """Return what is reached through the orgs, each row once."""
    rows: list[CredentialOwner] = []
    for org in orgs:
        rows += [row for row in dependents(org) if row not in rows]
    return rows
