"""Makes instances and assignments unique in a repository whatever the case of its spelling."""

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("sandboxes", "0003_one_spelling_for_each_repository")]

    operations = [
        migrations.RemoveConstraint("poolinstance", "one_instance_for_each_name"),
        migrations.RemoveConstraint("poolinstance", "one_org_for_each_assignment"),
        migrations.AddConstraint(
            "poolinstance",
            models.UniqueConstraint(Lower("repository"), Lower("name"), name="one_instance_for_each_name"),
        ),
        migrations.AddConstraint(
            "poolinstance",
            models.UniqueConstraint(
                Lower("repository"),
                "assignment_id",
                condition=models.Q(status="ASSIGNED"),
                name="one_org_for_each_assignment",
            ),
        ),
    ]
