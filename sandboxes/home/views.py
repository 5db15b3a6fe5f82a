"""The home page: what a signed-in person may open, found as they type, and any other org by its name."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views import View

from authn.users import get_user
from orgs.models import SalesforceOrg
from orgs.organization_kinds import Kind
from orgs.usernames import is_username_like
from sandboxes.continue_action import continue_link
from sandboxes.home.visible_orgs import instances_for, orgs_for
from sandboxes.names import is_sandbox_name, is_scratch_username

MAX_WORDS_LENGTH = 100


class HomePage(LoginRequiredMixin, View):
    """`/`: the lists. With `part=1` the lists alone, for the script that searches as one types."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show what may be opened."""
        person = get_user(request)
        words = request.GET.get("q", "").replace("\x00", "")[:MAX_WORDS_LENGTH].strip()
        found = {"orgs": orgs_for(person, words), "instances": instances_for(person, words), "words": words}
        if request.GET.get("part"):
            return render(request, "home_lists.html", found)
        return render(request, "home.html", {**found, "parents": _parents()})


class OpenByNamePage(LoginRequiredMixin, View):
    """`/open`: leads to the continue link of a sandbox or scratch org that somebody typed the name of."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Lead on, or say what a name looks like."""
        name = request.GET.get("name", "").strip()
        production_org = request.GET.get("production", "").strip()
        is_name = is_sandbox_name(name) or is_scratch_username(name)
        if not is_name or (production_org and not is_username_like(production_org)):
            return render(request, "open_by_name.html", {"name": name[:MAX_WORDS_LENGTH]}, status=400)
        return HttpResponseRedirect(continue_link(name, production_username=production_org))


def _parents() -> list[str]:
    """Return the usernames of the production orgs and DevHubs that others are reached through."""
    parents = SalesforceOrg.objects.filter(Q(kind=Kind.PRODUCTION) | Q(is_dev_hub=True)).exclude(org_id="")
    return list(parents.order_by("username_key").values_list("username", flat=True)[:200])
