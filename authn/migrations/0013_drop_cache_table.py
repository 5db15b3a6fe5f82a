"""Drops the table in which throttles once counted; tries have tables of their own, and nothing uses a cache."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("authn", "0012_access_epoch")]
    operations = [migrations.RunSQL("DROP TABLE IF EXISTS frontdesk_cache", migrations.RunSQL.noop)]
