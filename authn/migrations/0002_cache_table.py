"""Makes the table in which throttles count, so that a desk needs no second set-up command."""

from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def make_table(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


def drop_table(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("DROP TABLE IF EXISTS frontdesk_cache")


class Migration(migrations.Migration):
    dependencies = [("authn", "0001_people_tokens_and_audit")]
    operations = [migrations.RunPython(make_table, drop_table)]
