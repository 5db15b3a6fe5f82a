"""The Django app of sandboxes, scratch orgs and pools."""

from django.apps import AppConfig


class SandboxesConfig(AppConfig):
    """Registers the system checks, the sweeps and the continue action of the app."""

    name = "sandboxes"
    verbose_name = "Sandboxes and pools"

    def ready(self) -> None:
        """Import the checks, and register the continue action and the sweeps."""
        from authn.maintenance import add_sweep
        from authn.pages.continuation import add_action
        from sandboxes import checks  # noqa: F401  # importing registers them
        from sandboxes.continue_action import OPEN_ORG
        from sandboxes.models import PoolInstance
        from sandboxes.on_demand.grants import drop_idle_grants

        add_action(OPEN_ORG)
        add_sweep("idle grants", drop_idle_grants)
        add_sweep("overdue pool instances", PoolInstance.objects.expire_overdue)
