"""Tells Django of sandboxes."""

from django.apps import AppConfig


class SandboxesConfig(AppConfig):
    """Keys made on demand, for orgs that are not registered with a key of their own."""

    name = "sandboxes"
    verbose_name = "Sandboxes"
