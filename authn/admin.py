"""Registers the console's pages for users, application tokens and the audit, and its panels on the audit."""

from authn.console import application_tokens, audit, dashboard, users  # noqa: F401  # importing them registers pages
from authn.console.site import Panel, add_panel

add_panel(Panel("Access tokens per day", "console/columns.html", dashboard.tokens_per_day, place=30))
add_panel(Panel("Access tokens per principal", "console/bars.html", dashboard.tokens_per_principal, place=40))
