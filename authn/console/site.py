"""The console's admin site, for active owners only, and the panels of its dashboard.

Each app registers its panels in its admin module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from authn.console.first_steps import first_steps
from authn.models import User
from authn.web.redirects import local_path

# The last argument of Django's admin views.
ExtraContext = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the dashboard: `draw` returns the context of its template, from current data.

    Panels are ordered by `place`; a wide one spans the page.
    """

    title: str
    template: str
    draw: Callable[[], Mapping[str, object]]
    place: int
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the console beside the lists of its models, for owners only: `admin:<name>` at `route`."""

    route: str
    name: str
    view: Callable[[HttpRequest], HttpResponse]


_panels: list[Panel] = []
_pages: list[Page] = []


def add_panel(panel: Panel) -> None:
    """Add a panel to the dashboard. Call it in an app's admin module."""
    _panels.append(panel)


def add_page(page: Page) -> None:
    """Add a page to the console. Call it in an app's admin module."""
    _pages.append(page)


class ConsoleSite(admin.AdminSite):
    """Django's admin site, with the log-in and password pages of the desk."""

    site_title = "Frontdesk console"
    site_header = "Frontdesk"
    index_title = "Dashboard"
    index_template = "console/dashboard.html"
    # The header links to every model, and lists need the space.
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # It would delete rows without the functions that revoke and audit.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        """Return True for active owners, as stored at the time of the request."""
        return isinstance(request.user, User) and request.user.is_active and request.user.is_owner

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the pages of the apps, before the pages of the models: those take any path below theirs."""
        pages = [path(page.route, self.admin_view(page.view), name=page.name) for page in _pages]
        return [*pages, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: ExtraContext = None) -> TemplateResponse:
        """Show the dashboard."""
        drawn = [(panel, panel.draw()) for panel in sorted(_panels, key=lambda panel: panel.place)]
        return super().index(request, {"first_steps": first_steps(), "panels": drawn, **(extra_context or {})})

    def app_index(self, request: HttpRequest, app_label: str, extra_context: ExtraContext = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """Redirect to the dashboard."""
        return redirect("admin:index")

    def login(self, request: HttpRequest, extra_context: ExtraContext = None) -> HttpResponse:
        """Redirect to the log-in page. Raises PermissionDenied for a logged-in user who is not an owner."""
        if isinstance(request.user, User) and not self.has_permission(request):
            raise PermissionDenied("The console is for owners of this desk.")
        return redirect_to_login(local_path(request.GET.get("next", "")) or reverse("admin:index"), reverse("login"))

    def logout(self, request: HttpRequest, extra_context: ExtraContext = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """Redirect to the log-out page."""
        return redirect("logout")

    def password_change(self, request: HttpRequest, extra_context: ExtraContext = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """Redirect to the password page."""
        return redirect("password")

    def password_change_done(self, request: HttpRequest, extra_context: ExtraContext = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """Redirect to the password page."""
        return redirect("password")
