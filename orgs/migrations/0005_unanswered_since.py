from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orgs', '0004_keys_made_on_demand'),
    ]

    operations = [
        migrations.AddField(
            model_name='credential',
            name='unanswered_since',
            field=models.PositiveBigIntegerField(editable=False, null=True),
        ),
    ]
