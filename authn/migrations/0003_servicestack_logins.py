"""Makes the table of log-ins at the ServiceStack service."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authn', '0002_cache_table'),
    ]

    operations = [
        migrations.CreateModel(
            name='ServiceStackLogin',
            fields=[
                ('family', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='servicestack_login', serialize=False, to='authn.loginfamily')),
                ('password_mark', models.CharField(max_length=64)),
                ('session_digest', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ('is_permanent', models.BooleanField(default=False)),
                ('session_expires_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'ServiceStack log-in',
            },
        ),
    ]
