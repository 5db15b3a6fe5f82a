from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orgs", "0007_room_for_what_salesforce_sends")]

    operations = [migrations.RenameField(model_name="credential", old_name="lease_until", new_name="locked_until")]
