"""Tells load balancers and people whether this process lives, and whether it can serve."""

from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def alive(_request: HttpRequest) -> JsonResponse:
    """`/livez`: this process answers. Asks nobody, so a dead database does not get it killed."""
    return JsonResponse({"status": "alive"})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """`/readyz`: the database answers and has all migrations; 503 otherwise. Never asks Salesforce."""
    try:
        missing = _missing_migrations()
    except (OperationalError, InterfaceError):
        return JsonResponse({"status": "unavailable", "reason": "The database does not answer."}, status=503)
    if missing:
        return JsonResponse({"status": "unavailable", "reason": "Run manage.py migrate."}, status=503)
    return JsonResponse({"status": "ready"})


_all_applied = False


def _missing_migrations() -> bool:
    """Tell whether migrations are missing. Once none is, only the connection is tried."""
    global _all_applied
    if _all_applied:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return False
    executor = MigrationExecutor(connection)
    missing = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _all_applied = not missing
    return missing
