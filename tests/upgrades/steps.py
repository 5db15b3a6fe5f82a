"""Runs migrations in this process."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from tests.support.live_server import ROOT


def migrate(*arguments: str) -> None:
    call_command("migrate", *arguments, verbosity=0)


def applied(app: str) -> int:
    """Return how many migrations of an app were done."""
    return sum(label == app for label, _ in MigrationRecorder(connection).applied_migrations())


def are_all_applied(app: str) -> bool:
    return applied(app) == len(list((ROOT / app / "migrations").glob("[0-9]*.py")))


def migrate_step_by_step(*targets: tuple[str, str]) -> None:
    """Apply the migrations that are replaced by one, as an installation did that began before it."""
    executor = MigrationExecutor(connection)
    executor.loader = MigrationLoader(connection, replace_migrations=False)
    for key, migration in executor.loader.replacements.items():
        executor.loader.graph.remove_replacement_node(key, migration.replaces)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())
