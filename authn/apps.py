"""Tells Django of authn."""

from django.apps import AppConfig


class AuthnConfig(AppConfig):
    """Who is asking, may they, and what was done."""

    name = "authn"
    verbose_name = "People and tokens"

    def ready(self) -> None:
        """Register the system checks and the sweeps."""
        from django.core.signals import request_started

        from authn import audit, checks, openapi, sweeping, token_refusals  # noqa: F401  # two register themselves

        request_started.connect(audit.forget_written)
        sweeping.add_sweep("old audit", sweeping.delete_old_audit, sweeping.delete_old_audit_confirmed)
        sweeping.add_sweep("ended log-ins", sweeping.delete_ended_logins)
        sweeping.add_sweep("ended sessions", sweeping.delete_ended_sessions)
        sweeping.add_sweep("old tries", sweeping.delete_old_tries)
        sweeping.add_sweep("counted refusals", token_refusals.report_counted)
