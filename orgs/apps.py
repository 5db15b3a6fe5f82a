"""The Django app of registered orgs and their credentials."""

from django.apps import AppConfig


class OrgsConfig(AppConfig):
    """Registers the system checks and the sweeps of the app."""

    name = "orgs"
    verbose_name = "Orgs"

    def ready(self) -> None:
        """Import the checks, and register the sweeps."""
        from authn.maintenance import add_sweep
        from orgs import checks  # noqa: F401  # importing registers them
        from orgs.credentials.orphans import delete_orphans
        from orgs.credentials.replay import replay

        add_sweep("spooled token responses", replay)
        add_sweep("orphaned credentials", delete_orphans)
