"""Adds the ids of pool instances to the audit rows that older versions wrote about them."""

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Max, Min

BATCH = 5000


def add_ids(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Find the instance of each row by `name of repository`, in batches of a transaction each.

    Rows have the spelling of the repository that they were written with. Older versions recorded a token of an
    instance as one of an org with this name.
    """
    alias = schema_editor.connection.alias
    rows = apps.get_model("authn", "AuditEvent").objects.using(alias)
    instances = apps.get_model("sandboxes", "PoolInstance").objects.using(alias)
    ids = {(row.name, row.repository.lower()): str(row.pk) for row in instances.only("name", "repository")}
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    for first in range(ends["first"] or 0, (ends["last"] or -1) + 1, BATCH):
        with transaction.atomic(using=alias):
            batch = rows.filter(pk__gte=first, pk__lt=first + BATCH, target_id="", target_label__contains=" of ")
            for label in set(batch.values_list("target_label", flat=True)):
                name, _, repository = label.rpartition(" of ")
                if found := ids.get((name, repository.lower())):
                    batch.filter(target_label=label).update(target_kind="pool_instance", target_id=found)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sandboxes", "0004_repositories_without_case"), ("orgs", "0011_ids_of_audit_targets")]
    operations = [migrations.RunPython(add_ids, migrations.RunPython.noop)]
