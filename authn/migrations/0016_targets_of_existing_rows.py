"""Fills the targets of the audit rows that older versions wrote, as far as the rows say them.

The migrations of orgs and sandboxes add the ids of their own rows. Each batch is a transaction of its own: an
interrupted migration continues where it stopped.
"""

from typing import Any

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import CharField, F, Max, Min, QuerySet, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Concat, Substr

BATCH = 5000
_LOGINS = ("person.login", "person.login_refreshed", "person.logout", "person.refresh_token_reused")
_USER_CHANGES = ("person.added", "person.changed")
_RETENTION = "AUDIT_RETENTION_DAYS"
# A historical model has no fields that a type checker knows.
Rows = QuerySet[Any]


def fill_targets(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the targets in batches, by ranges of ids."""
    alias = schema_editor.connection.alias
    rows = apps.get_model("authn", "AuditEvent").objects.using(alias)
    users = apps.get_model("authn", "User").objects.using(alias)
    ends = rows.aggregate(first=Min("pk"), last=Max("pk"))
    for first in range(ends["first"] or 0, (ends["last"] or -1) + 1, BATCH):
        with transaction.atomic(using=alias):
            _fill(rows.filter(pk__gte=first, pk__lt=first + BATCH), users)


def _fill(rows: Rows, users: Rows) -> None:
    unfilled = rows.filter(target_kind="")
    unfilled.filter(action__in=_LOGINS).update(
        target_kind="person", target_id=F("actor_id"), target_label=F("actor_name")
    )
    unfilled.filter(action__in=_USER_CHANGES).update(target_kind="person", target_label=_detail("email"))
    unfilled.filter(action__startswith="application_token.").update(
        target_kind="application_token", target_id=_detail("id", 64), target_label=_detail("name")
    )
    name = Concat("target_label", Value(" of "), _detail("repository"))
    unfilled.filter(action__startswith="pool_instance.").update(
        target_kind="pool_instance", target_label=Substr(name, 1, 255)
    )
    unfilled.filter(action="audit.expired_rows_deleted").update(
        target_kind="setting", target_id=_RETENTION, target_label=_RETENTION
    )
    unfilled.exclude(target_label="").update(target_kind="org")
    without_id = rows.filter(target_kind="person", target_id="")
    for user in users.filter(email__in=set(without_id.values_list("target_label", flat=True))):
        without_id.filter(target_label=user.email).update(target_id=str(user.pk))


def _detail(name: str, length: int = 255) -> Coalesce:
    return Coalesce(Substr(KT(f"details__{name}"), 1, length), Value(""), output_field=CharField())


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("authn", "0015_audit_search_indexes")]
    operations = [migrations.RunPython(fill_targets, migrations.RunPython.noop)]
