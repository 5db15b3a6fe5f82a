"""Adds the attempt that a row of the audit completes, so that one access token is one line."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authn", "0017_audit_changes")]
    operations = [
        migrations.AddField(
            "auditevent",
            "attempt",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="completed_by",
                to="authn.auditevent",
            ),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(condition=models.Q(attempt__isnull=False), fields=["attempt"], name="audit_attempt"),
        ),
    ]
