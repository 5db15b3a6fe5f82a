from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orgs', '0002_desk_key'),
    ]

    operations = [
        migrations.AddField(
            model_name='salesforceorg',
            name='member_frontdoor',
            field=models.BooleanField(default=False, verbose_name='members may open it'),
        ),
    ]
