"""The Django app `authn`."""

from django.apps import AppConfig


class AuthnConfig(AppConfig):
    """Users, application tokens, permissions and the audit."""

    name = "authn"
    verbose_name = "Users and tokens"

    def ready(self) -> None:
        """Register the system checks, the OpenAPI extensions and the sweeps."""
        from django.core.signals import request_started

        from authn import audit, checks, maintenance, openapi, token_refusals  # noqa: F401  # checks and openapi register themselves on import

        request_started.connect(audit.forget_written)
        maintenance.add_sweep("old audit", maintenance.delete_old_audit, maintenance.delete_old_audit_confirmed)
        maintenance.add_sweep("ended log-ins", maintenance.delete_ended_logins)
        maintenance.add_sweep("ended sessions", maintenance.delete_ended_sessions)
        maintenance.add_sweep("old tries", maintenance.delete_old_tries)
        maintenance.add_sweep("counted refusals", token_refusals.report_counted)
