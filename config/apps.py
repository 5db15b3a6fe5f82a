"""The console: Django's admin with the desk's own site."""

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class ConsoleConfig(AdminConfig):
    """The operators' console at /console/. Each app registers its part in its admin.py."""

    default_site = "authn.console.site.ConsoleSite"

    def ready(self) -> None:
        """Register every part of the console, and lift the database limits during migrations."""
        super().ready()
        from django.contrib.auth.models import Group

        admin.site.unregister(Group)  # Permissions follow from roles; Django's groups have no effect here.
        pre_migrate.connect(_lift_limits, sender=self)
        post_migrate.connect(_restore_limits, sender=self)


def _lift_limits(*, using: str, **_: object) -> None:
    """Lift the time-outs of requests: an index on a large table takes minutes, and waits for locks."""
    if (lift := getattr(connections[using], "lift_limits", None)) is not None:
        lift()


def _restore_limits(*, using: str, **_: object) -> None:
    if (restore := getattr(connections[using], "restore_limits", None)) is not None:
        restore()
