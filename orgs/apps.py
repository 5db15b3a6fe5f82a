"""Tells Django of orgs."""

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    """Which orgs we hold keys for."""

    name = "orgs"
    verbose_name = "Orgs"

    def ready(self) -> None:
        """Register the system checks and the sweeps."""
        from authn.maintenance import add_sweep
        from orgs import checks  # noqa: F401  # importing registers them
        from orgs.credentials.orphans import delete_orphans
        from orgs.credentials.replay import replay

        add_sweep("answers in the spool", replay)
        add_sweep("ownerless credentials", delete_orphans)
