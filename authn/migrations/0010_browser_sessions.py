"""Makes the table of browser sessions, each of which belongs to a log-in."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authn', '0009_token_refusals'),
    ]

    operations = [
        migrations.AlterField(
            model_name='loginfamily',
            name='current_jti',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.CreateModel(
            name='BrowserSession',
            fields=[
                ('digest', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('data', models.TextField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('family', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='browser_sessions', to='authn.loginfamily')),
            ],
        ),
    ]
