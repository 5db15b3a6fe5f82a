"""Counts how often a person was switched off, so that what was given out before does not come back."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authn', '0011_end_sessions_stored_by_their_key'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='access_epoch',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
