"""Links the audit rows of older versions to the attempts that they complete.

They are linked by their request: the issue to the end of the refresh, and that to its beginning. Each batch is a
transaction of its own: an interrupted migration continues where it stopped.
"""

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Max, Min, OuterRef, Subquery

BATCH = 5000
# Each row of the first action is completed by the next row of the second, in the same request and about the same org.
_COMPLETED = (
    ("credential.refresh_sent", "credential.refresh_ended"),
    ("credential.refresh_ended", "access_token.handed_out"),
)


def link_rows(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Link the rows in batches of a transaction each."""
    alias = schema_editor.connection.alias
    rows = apps.get_model("authn", "AuditEvent").objects.using(alias)
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    for first in range(ends["first"] or 0, (ends["last"] or -1) + 1, BATCH):
        batch = rows.filter(pk__gte=first, pk__lt=first + BATCH, attempt=None).exclude(request_id="")
        with transaction.atomic(using=alias):
            for before, after in _COMPLETED:
                same = {name: OuterRef(name) for name in ("request_id", "actor_id", "target_label")}
                earlier = rows.filter(action=before, pk__lt=OuterRef("pk"), **same).exclude(request_id="")
                batch.filter(action=after).update(attempt_id=Subquery(earlier.order_by("-pk").values("pk")[:1]))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("authn", "0018_audit_attempts")]
    operations = [migrations.RunPython(link_rows, migrations.RunPython.noop)]
