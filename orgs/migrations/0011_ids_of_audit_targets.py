"""Adds the ids of registered orgs to the audit rows that older versions wrote about them."""

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import CharField, Max, Min, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Lower

BATCH = 5000


def add_ids(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Find the org of each row by its username, in batches of a transaction each."""
    alias = schema_editor.connection.alias
    rows = apps.get_model("authn", "AuditEvent").objects.using(alias)
    orgs = apps.get_model("orgs", "SalesforceOrg").objects.using(alias)
    same_name = orgs.filter(username_key=Lower(OuterRef("target_label"))).values(key=Cast("pk", CharField()))[:1]
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    for first in range(ends["first"] or 0, (ends["last"] or -1) + 1, BATCH):
        with transaction.atomic(using=alias):
            batch = rows.filter(pk__gte=first, pk__lt=first + BATCH, target_kind="org", target_id="")
            batch.update(target_id=Coalesce(Subquery(same_name), Value("")))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("orgs", "0010_unresolved_since"), ("authn", "0016_targets_of_existing_rows")]
    operations = [migrations.RunPython(add_ids, migrations.RunPython.noop)]
