"""Tells Django of the console: its own admin, with our site in place of the stock one."""

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    """The operators' console at /console/. Each app registers its part in its admin.py."""

    default_site = "authn.console.ConsoleSite"
