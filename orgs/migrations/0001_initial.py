"""All tables of orgs in one step, for a new database. An existing one goes through the migrations it replaces."""

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import orgs.credentials.fields
import uuid
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from orgs.credentials.hash_key import new_key, token_hash_key


def create_hash_key(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Store the random key that hashes tokens, encrypted under FERNET_KEYS."""
    name, value = new_key()
    apps.get_model("orgs", "DeskKey").objects.using(schema_editor.connection.alias).create(name=name, sealed_key=value)
    token_hash_key.cache_clear()


class Migration(migrations.Migration):
    replaces = [
        ("orgs", "0001_orgs_and_credentials"),
        ("orgs", "0002_desk_key"),
        ("orgs", "0003_member_frontdoor"),
        ("orgs", "0004_keys_made_on_demand"),
        ("orgs", "0005_unanswered_since"),
        ("orgs", "0006_spelling"),
        ("orgs", "0007_room_for_what_salesforce_sends"),
        ("orgs", "0008_locked_until"),
    ]
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Credential",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sealed_grant", orgs.credentials.fields.DeferredEncryptedTextField(editable=False, null=True)),
                ("sealed_session", orgs.credentials.fields.DeferredEncryptedTextField(editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("generation", models.PositiveBigIntegerField(default=0, editable=False)),
                ("locked_until", models.DateTimeField(editable=False, null=True)),
                ("sent_at", models.DateTimeField(editable=False, null=True)),
                ("sent_by", models.UUIDField(editable=False, null=True)),
                ("unanswered_since", models.PositiveBigIntegerField(editable=False, null=True)),
                ("budget_spent_until", models.DateTimeField(editable=False, null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("failures_since", models.DateTimeField(editable=False, null=True)),
                ("paused_until", models.DateTimeField(editable=False, null=True)),
                ("outcome", models.CharField(blank=True, editable=False, max_length=48)),
                ("outcome_retry_after", models.PositiveIntegerField(editable=False, null=True)),
                ("rotates", models.BooleanField(editable=False, null=True)),
                ("ever_rotated", models.BooleanField(default=False, editable=False)),
                (
                    "health",
                    models.CharField(
                        choices=[
                            ("unverified", "Unverified"),
                            ("healthy", "Healthy"),
                            ("failing", "Failing"),
                            ("uncertain", "Uncertain"),
                            ("expired", "Expired"),
                        ],
                        default="unverified",
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(blank=True, editable=False, max_length=48)),
                ("last_success_at", models.DateTimeField(editable=False, null=True)),
                ("last_checked_at", models.DateTimeField(editable=False, null=True)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="DeskKey",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("sealed_key", orgs.credentials.fields.DeferredEncryptedTextField(editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="KnownToken",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("outside", models.BooleanField(editable=False)),
                (
                    "credential",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="known_tokens", to="orgs.credential"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SalesforceOrg",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("username", models.CharField(max_length=255)),
                (
                    "username_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.text.Lower("username"),
                        output_field=models.CharField(max_length=255),
                        unique=True,
                    ),
                ),
                ("instance_url", models.CharField(max_length=261)),
                ("org_id", models.CharField(blank=True, db_index=True, max_length=18)),
                (
                    "kind",
                    models.CharField(
                        choices=[("production", "Production"), ("sandbox", "Sandbox"), ("scratch", "Scratch")],
                        default="production",
                        max_length=16,
                    ),
                ),
                ("organization_type", models.CharField(blank=True, max_length=255)),
                ("instance_name", models.CharField(blank=True, max_length=255)),
                ("sandbox_name", models.CharField(blank=True, db_index=True, max_length=80)),
                ("is_jit_registration", models.BooleanField(default=False)),
                ("is_dev_hub", models.BooleanField(default=False, verbose_name="DevHub")),
                ("is_default", models.BooleanField(default=False, verbose_name="default DevHub")),
                ("member_frontdoor", models.BooleanField(default=False, verbose_name="members may open it")),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "credential",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="org",
                        to="orgs.credential",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="orgs.salesforceorg",
                    ),
                ),
            ],
            options={
                "verbose_name": "Salesforce org",
                "ordering": ("username",),
            },
        ),
        migrations.CreateModel(
            name="OrgMetadata",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=100)),
                ("value", models.CharField(max_length=2100)),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="metadata_rows",
                        to="orgs.salesforceorg",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="salesforceorg",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)), fields=("is_default",), name="one_default_dev_hub"
            ),
        ),
        migrations.AddConstraint(
            model_name="salesforceorg",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_default", False), ("is_dev_hub", True), _connector="OR"),
                name="the_default_is_a_dev_hub",
            ),
        ),
        migrations.AddConstraint(
            model_name="salesforceorg",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("parent__isnull", True), models.Q(("parent", models.F("id")), _negated=True), _connector="OR"
                ),
                name="no_org_is_its_own_parent",
            ),
        ),
        migrations.AddIndex(
            model_name="orgmetadata",
            index=models.Index(fields=["key", "value"], name="metadata_key_value"),
        ),
        migrations.AddConstraint(
            model_name="orgmetadata",
            constraint=models.UniqueConstraint(fields=("org", "key"), name="one_value_for_each_key"),
        ),
        migrations.RunPython(create_hash_key, migrations.RunPython.noop),
    ]
