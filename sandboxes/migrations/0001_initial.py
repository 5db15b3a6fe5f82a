"""All tables of sandboxes in one step, for a new database. An existing one goes through what it replaces."""

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("sandboxes", "0001_grants_and_pools"),
        ("sandboxes", "0002_room_for_instance_urls"),
    ]
    initial = True

    dependencies = [
        # Not on orgs.0001_initial: an installation may record this migration before it has all that replaces.
        ("orgs", "0004_keys_made_on_demand"),
    ]

    operations = [
        migrations.CreateModel(
            name="OnDemandGrant",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=255)),
                ("username", models.CharField(blank=True, max_length=255)),
                ("org_id", models.CharField(blank=True, db_index=True, max_length=18)),
                ("instance_url", models.CharField(blank=True, max_length=261)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_used_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "credential",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="on_demand_grant",
                        to="orgs.credential",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="on_demand_grants",
                        to="orgs.salesforceorg",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("parent", "name"), name="one_grant_for_each_name")],
            },
        ),
        migrations.CreateModel(
            name="PoolInstance",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("repository", models.CharField(max_length=255)),
                ("pool_tag", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=255)),
                (
                    "type",
                    models.CharField(choices=[("SANDBOX", "Sandbox"), ("SCRATCH_ORG", "Scratch org")], max_length=16),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("AVAILABLE", "Available"),
                            ("ASSIGNED", "Assigned"),
                            ("PROVISIONING", "Provisioning"),
                            ("EXPIRED", "Expired"),
                        ],
                        default="AVAILABLE",
                        max_length=16,
                    ),
                ),
                ("username", models.CharField(blank=True, max_length=255)),
                ("instance_url", models.CharField(blank=True, max_length=261)),
                ("org_id", models.CharField(blank=True, db_index=True, max_length=18)),
                ("assignment_id", models.CharField(blank=True, max_length=255)),
                ("assigned_to_email", models.CharField(blank=True, max_length=254)),
                ("assigned_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("failed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "credential",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pool_instance",
                        to="orgs.credential",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pool_instances",
                        to="orgs.salesforceorg",
                    ),
                ),
            ],
            options={
                "ordering": ("repository", "pool_tag", "name"),
                "constraints": [
                    models.UniqueConstraint(
                        models.F("repository"),
                        django.db.models.functions.text.Lower("name"),
                        name="one_instance_for_each_name",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("username"),
                        condition=models.Q(("username", ""), _negated=True),
                        name="one_pool_for_each_org",
                    ),
                    models.UniqueConstraint(
                        models.F("parent"),
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("parent__isnull", False), ("type", "SANDBOX")),
                        name="one_pool_for_each_sandbox",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "ASSIGNED")),
                        fields=("repository", "assignment_id"),
                        name="one_org_for_each_assignment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "ASSIGNED"), _negated=True),
                            models.Q(("assignment_id", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="assigned_means_to_somebody",
                    ),
                ],
            },
        ),
    ]
