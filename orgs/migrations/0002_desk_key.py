"""Makes the key under which tokens are hashed: random, once, and sealed under FERNET_KEYS."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from orgs.credentials.hash_key import (new_key, token_hash_key)


def make_key(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    name, value = new_key()
    apps.get_model("orgs", "DeskKey").objects.using(schema_editor.connection.alias).create(name=name, sealed_key=value)
    token_hash_key.cache_clear()


class Migration(migrations.Migration):
    dependencies = [("orgs", "0001_orgs_and_credentials")]
    operations = [migrations.RunPython(make_key, migrations.RunPython.noop)]
