"""Adds the values before and after a change to the audit."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("authn", "0016_targets_of_existing_rows")]
    operations = [migrations.AddField("auditevent", "changes", models.JSONField(blank=True, null=True))]
