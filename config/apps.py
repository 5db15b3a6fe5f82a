"""Tells Django of the console: its own admin, with our site in place of the stock one."""

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class ConsoleConfig(AdminConfig):
    """The operators' console at /console/. Each app registers its part in its admin.py."""

    default_site = "authn.console.site.ConsoleSite"

    def ready(self) -> None:
        """Let migrations take their time."""
        super().ready()
        pre_migrate.connect(_lift_limits, sender=self)
        post_migrate.connect(_restore_limits, sender=self)


def _lift_limits(*, using: str, **_: Any) -> None:
    """Lift the time-outs of requests: an index on a large table takes minutes, and waits for locks."""
    if (lift := getattr(connections[using], "lift_limits", None)) is not None:
        lift()


def _restore_limits(*, using: str, **_: Any) -> None:
    if (restore := getattr(connections[using], "restore_limits", None)) is not None:
        restore()
