"""Deletes the sessions that Django's own engine stored: each row held the very value of its cookie.

The table stays, empty, for a desk that goes back to an older version.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLE = "django_session"


def delete_sessions(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    with schema_editor.connection.cursor() as cursor:
        if TABLE in schema_editor.connection.introspection.table_names(cursor):
            cursor.execute(f"DELETE FROM {TABLE}")


class Migration(migrations.Migration):
    dependencies = [("authn", "0010_browser_sessions")]
    operations = [migrations.RunPython(delete_sessions, migrations.RunPython.noop)]
