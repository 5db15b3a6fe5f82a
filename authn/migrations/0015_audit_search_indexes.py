"""Creates the indexes that find audit rows by the start of a label or an actor's name, in any spelling.

On PostgreSQL only: Django cannot describe an index of an expression for LIKE. SQLite reads the table.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_INDEXES = {"audit_target_label": "target_label", "audit_actor_name": "actor_name"}


def create_indexes(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create an index of the upper-case text, which `istartswith` and `iexact` compare."""
    if schema_editor.connection.vendor == "postgresql":
        for name, column in _INDEXES.items():
            schema_editor.execute(
                f"CREATE INDEX {name} ON authn_auditevent (UPPER({column}::text) text_pattern_ops)"
            )


def drop_indexes(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the indexes."""
    if schema_editor.connection.vendor == "postgresql":
        for name in _INDEXES:
            schema_editor.execute(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("authn", "0014_audit_targets")]
    operations = [migrations.RunPython(create_indexes, drop_indexes)]
