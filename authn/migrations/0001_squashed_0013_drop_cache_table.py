"""All tables of authn in one step, for a new database. An existing one goes through the migrations it replaces.

Its name sorts after 0001_people_tokens_and_audit, the first migration of authn to Django. The migrations of
django.contrib.admin depend on that one: on an older installation they are applied and the last of authn is not.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("authn", "0001_people_tokens_and_audit"),
        ("authn", "0002_cache_table"),
        ("authn", "0003_servicestack_logins"),
        ("authn", "0004_more_audit_actions"),
        ("authn", "0005_audit_of_available_instances"),
        ("authn", "0006_database_clock_and_sweep_runs"),
        ("authn", "0007_login_attempts"),
        ("authn", "0008_drop_tables_of_axes"),
        ("authn", "0009_token_refusals"),
        ("authn", "0010_browser_sessions"),
        ("authn", "0011_end_sessions_stored_by_their_key"),
        ("authn", "0012_access_epoch"),
        ("authn", "0013_drop_cache_table"),
    ]
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AddressTries",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("address_block", models.CharField(max_length=64, unique=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("began_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name_plural": "address tries",
            },
        ),
        migrations.CreateModel(
            name="ApplicationToken",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("prefix", models.CharField(editable=False, max_length=16)),
                ("created_by_name", models.CharField(blank=True, max_length=254)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                "ordering": ("-created_at",),
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("person.login", "Login"),
                            ("person.login_refreshed", "Login Refresh"),
                            ("person.logout", "Logout"),
                            ("person.refresh_token_reused", "Login Reused"),
                            ("person.added", "User Added"),
                            ("person.changed", "User Changed"),
                            ("application_token.created", "Token Created"),
                            ("application_token.revoked", "Token Revoked"),
                            ("request", "Request"),
                            ("org.registered", "Org Registered"),
                            ("org.changed", "Org Changed"),
                            ("org.org_id_changed", "Org Id Changed"),
                            ("org.instance_changed", "Org Moved"),
                            ("org.deleted", "Org Deleted"),
                            ("org.connection_tested", "Org Tested"),
                            ("credential.refresh_sent", "Refresh Sent"),
                            ("credential.refresh_ended", "Refresh Ended"),
                            ("credential.answer_replayed", "Answer Replayed"),
                            ("credential.removed", "Credential Removed"),
                            ("credential.revoked", "Revoked"),
                            ("access_token.handed_out", "Access Token"),
                            ("auth_url.handed_out", "Auth Url"),
                            ("frontdoor.handed_out", "Frontdoor"),
                            ("auth_url.written_to_dev_hub", "Auth Url Written"),
                            ("pool_instance.added", "Pool Added"),
                            ("pool_instance.removed", "Pool Removed"),
                            ("pool_instance.fetched", "Pool Fetched"),
                            ("pool_instance.unassigned", "Pool Unassigned"),
                            ("pool_instance.made_available", "Pool Made Available"),
                            ("audit.expired_rows_deleted", "Audit Expired"),
                        ],
                        db_index=True,
                        max_length=48,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("attempted", "Attempted"),
                            ("granted", "Granted"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                        ],
                        max_length=16,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=48)),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("actor_name", models.CharField(blank=True, max_length=254)),
                ("address", models.CharField(blank=True, max_length=64)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("org_username", models.CharField(blank=True, db_index=True, max_length=255)),
                ("fingerprint", models.CharField(blank=True, max_length=16)),
                ("details", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="LoginFamily",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("current_jti", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "login families",
            },
        ),
        migrations.CreateModel(
            name="SweepRun",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField(null=True)),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("failure", models.CharField(blank=True, max_length=400)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254, unique=True)),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("member", "Member")], default="member", max_length=16
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("access_epoch", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ("email",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["owner", "member"])), name="a_person_is_owner_or_member"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LoginAttempts",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("name_digest", models.CharField(max_length=64)),
                ("address_block", models.CharField(blank=True, max_length=64)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("undecided", models.PositiveIntegerField(default=0)),
                ("last_try_at", models.DateTimeField(db_index=True)),
                ("locked_until", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name_plural": "login attempts",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("name_digest", "address_block"), name="one_count_for_a_name_and_block"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceStackLogin",
            fields=[
                (
                    "family",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="servicestack_login",
                        serialize=False,
                        to="authn.loginfamily",
                    ),
                ),
                ("password_mark", models.CharField(max_length=64)),
                ("session_digest", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ("is_permanent", models.BooleanField(default=False)),
                ("session_expires_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "ServiceStack log-in",
            },
        ),
        migrations.AddField(
            model_name="loginfamily",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="login_families", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.CreateModel(
            name="BrowserSession",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("data", models.TextField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "family",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browser_sessions",
                        to="authn.loginfamily",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TokenRefusals",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("holder_kind", models.CharField(max_length=16)),
                ("holder_id", models.CharField(max_length=64)),
                ("action", models.CharField(max_length=48)),
                ("code", models.CharField(max_length=48)),
                ("unreported", models.PositiveIntegerField(default=0)),
                ("reported_at", models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                "verbose_name_plural": "token refusals",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("holder_kind", "holder_id", "action", "code"), name="one_count_for_a_holder_and_code"
                    )
                ],
            },
        ),
    ]
