import orgs.credentials.fields
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('orgs', '0003_member_frontdoor'),
    ]

    operations = [
        migrations.AlterField(
            model_name='credential',
            name='sealed_grant',
            field=orgs.credentials.fields.DeferredEncryptedTextField(editable=False, null=True),
        ),
    ]
