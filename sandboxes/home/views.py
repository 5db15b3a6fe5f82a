"""The home page: the orgs that a user may open, and a form that opens any other org by its name."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views import View

from authn.console.first_steps import first_steps
from authn.models import User
from authn.roles import Role
from authn.users import get_user
from orgs.lookup import is_name
from orgs.models import Kind, SalesforceOrg
from orgs.usernames import PLUS_MESSAGE, SECRET_MESSAGE, is_secret, lost_a_plus
from sandboxes.continue_action import continue_link
from sandboxes.home.visible_orgs import instances_for, orgs_for
from sandboxes.models import PoolInstance
from sandboxes.names import is_sandbox_name, is_scratch_username
from sandboxes.stored_names import is_stored

MAX_SEARCH_LENGTH = 100
_MAX_OWNERS = 3


class HomePage(LoginRequiredMixin, View):
    """`/`: the lists of orgs. With `part=1` the lists without the page, for the script that searches during typing."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the orgs that the user may open and that match the search `q`."""
        user = get_user(request)
        search = request.GET.get("q", "").replace("\x00", "")[:MAX_SEARCH_LENGTH].strip()
        found = {"orgs": orgs_for(user, search), "instances": instances_for(user, search), "words": search}
        found |= {"owners": [] if user.is_owner else _owners()}
        if request.GET.get("part"):
            return render(request, "home_lists.html", found)
        first = {"first_steps": first_steps() if user.is_owner else [], "is_empty": _is_empty()}
        return render(request, "home.html", {**found, **first, "parents": _parents()})


class OpenByNamePage(LoginRequiredMixin, View):
    """`/open`: redirects to the continue link of a sandbox or scratch org that was entered by name."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the continue link, or show the valid names with status 400."""
        name = request.GET.get("name", "").strip()
        production_org = request.GET.get("production", "").strip()
        can_be_opened = is_sandbox_name(name) or is_scratch_username(name) or ("," not in name and is_stored(name))
        if can_be_opened and (not production_org or is_name(production_org)):
            return HttpResponseRedirect(continue_link(name, production_username=production_org))
        problem = _problem_of(production_org) if can_be_opened else _problem_of(name)
        found = {"problem": problem, "is_production": can_be_opened}
        return render(request, "open_by_name.html", found, status=400)


def _problem_of(name: str) -> str:
    """Return what is wrong with a name that cannot be opened, "" for no name. A secret is not repeated."""
    if is_secret(name):
        return SECRET_MESSAGE
    if lost_a_plus(name):
        return PLUS_MESSAGE
    return f"\u201c{name[:MAX_SEARCH_LENGTH]}\u201d is neither a sandbox name nor a username." if name else ""


def _is_empty() -> bool:
    """Return True if the desk has no org at all: there is nothing to search or to open by its name."""
    return not SalesforceOrg.objects.exists() and not PoolInstance.objects.exists()


def _owners() -> list[str]:
    """Return the e-mail addresses of the owners to ask, at most three: those who logged in last."""
    owners = User.objects.filter(role=Role.OWNER, is_active=True)
    latest = owners.order_by(F("last_login").desc(nulls_last=True), "email")
    return list(latest.values_list("email", flat=True)[:_MAX_OWNERS])


def _parents() -> list[str]:
    """Return the usernames of the production orgs and DevHubs, at most 200."""
    parents = SalesforceOrg.objects.filter(Q(kind=Kind.PRODUCTION) | Q(is_dev_hub=True)).exclude(org_id="")
    return list(parents.order_by("username_key").values_list("username", flat=True)[:200])
