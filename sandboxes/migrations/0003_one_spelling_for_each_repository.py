"""Gives the instances of one repository one spelling of it: forges ignore case, and `.git` at the end.

Two spellings may have had instances of one name, or one assignment. The later instance is then kept under a
repository of its own, with a number, and the later assignment expires.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def _plain(repository: str) -> str:
    base = repository[: -len(".git")] if repository.lower().endswith(".git") else repository
    return repository if base.endswith("/") else base


def merge_spellings(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Update every instance whose spelling is not that of the oldest one of its repository."""
    instances = apps.get_model("sandboxes", "PoolInstance").objects.using(schema_editor.connection.alias)
    rows = list(instances.order_by("created_at", "pk"))
    spellings: dict[str, str] = {}
    for row in rows:
        spellings.setdefault(_plain(row.repository).lower(), _plain(row.repository))
    names: set[tuple[str, str]] = set()
    assignments: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda row: row.repository != spellings[_plain(row.repository).lower()]):
        spelling = repository = spellings[_plain(row.repository).lower()]
        number = 1
        while (repository.lower(), row.name.lower()) in names:
            number += 1
            repository = f"{spelling[:250]}-{number}"
        names.add((repository.lower(), row.name.lower()))
        assignment = (repository.lower(), row.assignment_id)
        status = "EXPIRED" if row.status == "ASSIGNED" and assignment in assignments else row.status
        if status == "ASSIGNED":
            assignments.add(assignment)
        if (repository, status) != (row.repository, row.status):
            instances.filter(pk=row.pk).update(repository=repository, status=status)


class Migration(migrations.Migration):
    dependencies = [("sandboxes", "0001_initial")]

    operations = [migrations.RunPython(merge_spellings, migrations.RunPython.noop)]
