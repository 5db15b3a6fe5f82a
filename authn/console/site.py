"""The operators' console: Django's admin with our name on it, for active owners alone.

What stands on its front page is a list of panels, to which each app adds its own in its admin.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from authn.models import User
from authn.web.redirects import local_path


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the front page: `draw` returns what its template shows, from live data.

    Panels stand in the order of `place`; a wide one takes the whole width.
    """

    title: str
    template: str
    draw: Callable[[], dict[str, Any]]
    place: int
    wide: bool = False


_panels: list[Panel] = []


def add_panel(panel: Panel) -> None:
    """Put a panel on the front page. Call it in an app's admin.py."""
    _panels.append(panel)


class ConsoleSite(admin.AdminSite):
    """Django's admin, whose log-in and passwords are those of the desk's own pages."""

    site_title = "Frontdesk console"
    site_header = "Frontdesk"
    index_title = "Dashboard"
    index_template = "console/dashboard.html"
    # The parts are few: the header names them all, and lists need the room.
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # It deletes rows past the functions that end what belongs to them.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        """Admit active owners, as the database has them at this request."""
        return isinstance(request.user, User) and request.user.is_active and request.user.is_owner

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the dashboard."""
        drawn = [(panel, panel.draw()) for panel in sorted(_panels, key=lambda panel: panel.place)]
        return super().index(request, {"panels": drawn, **(extra_context or {})})

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        """Lead to the dashboard: the header names every part."""
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the log-in page; refuse whoever is logged in and is no owner."""
        if isinstance(request.user, User) and not self.has_permission(request):
            raise PermissionDenied("The console is for owners of this desk.")
        return redirect_to_login(local_path(request.GET.get("next", "")) or reverse("admin:index"), reverse("login"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Lead to the page that signs out."""
        return redirect("logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Lead to the page that changes a password."""
        return redirect("password")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Lead to the same page."""
        return redirect("password")
