"""Tells Django of sandboxes."""

from django.apps import AppConfig


class SandboxesConfig(AppConfig):
    """Keys made on demand, for orgs that are not registered with a key of their own."""

    name = "sandboxes"
    verbose_name = "Sandboxes and pools"

    def ready(self) -> None:
        """Register the system checks and the sweeps."""
        from authn.maintenance import add_sweep
        from authn.pages.continuation import add_action
        from sandboxes import checks  # noqa: F401  # importing registers them
        from sandboxes.continue_action import OPEN_ORG
        from sandboxes.models import PoolInstance
        from sandboxes.on_demand.grants import drop_idle_grants

        add_action(OPEN_ORG)
        add_sweep("idle grants", drop_idle_grants)
        add_sweep("overdue pool instances", PoolInstance.objects.expire_overdue)
