"""Tells Django of authn."""

from django.apps import AppConfig


class AuthnConfig(AppConfig):
    """Who is asking, may they, and what was done."""

    name = "authn"
    verbose_name = "People and tokens"

    def ready(self) -> None:
        """Register the system checks."""
        from authn import checks  # noqa: F401
