"""Makes room for the URL of the longest host name that there can be."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sandboxes", "0001_grants_and_pools")]

    operations = [
        migrations.AlterField("ondemandgrant", "instance_url", models.CharField(blank=True, max_length=261)),
        migrations.AlterField("poolinstance", "instance_url", models.CharField(blank=True, max_length=261)),
    ]
