"""Makes the columns of an org's facts as wide as the longest text that is read from Salesforce."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orgs", "0006_spelling")]

    operations = [
        migrations.AlterField("salesforceorg", "instance_name", models.CharField(blank=True, max_length=255)),
        migrations.AlterField("salesforceorg", "instance_url", models.CharField(max_length=261)),
        migrations.AlterField("salesforceorg", "organization_type", models.CharField(blank=True, max_length=255)),
    ]
