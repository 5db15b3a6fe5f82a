"""Drops the tables of the lockout that was used before, with the passwords that it kept in the clear."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# The first refers to the second.
TABLES = ("axes_accessattemptexpiration", "axes_accessattempt", "axes_accesslog", "axes_accessfailurelog")


def drop_tables(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        existing = set(connection.introspection.table_names(cursor)) & set(TABLES)
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'axes'")
        if existing and connection.vendor == "sqlite":
            # What was deleted or dropped stays in the pages of the file and in its log until both are rewritten.
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Migration(migrations.Migration):
    atomic = False  # SQLite cannot rewrite its file inside a transaction; each step may be repeated.
    dependencies = [("authn", "0007_login_attempts")]
    operations = [migrations.RunPython(drop_tables, migrations.RunPython.noop)]
