"""Spells Salesforce as Salesforce does, in the console; no column changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orgs", "0005_unanswered_since")]

    operations = [
        migrations.AlterModelOptions(
            name="salesforceorg", options={"ordering": ("username",), "verbose_name": "Salesforce org"}
        ),
    ]
