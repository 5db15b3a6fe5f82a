"""Gives each audit row a target of its own, and the list of the audit an index for each filter and search.

`org_username` becomes `target_label`. The new columns have defaults of the database, so no row is rewritten.
"""

from django.db import migrations, models
from django.db.models import Index, Q

from authn.audit_actions import Action, TargetKind

_USUAL_ACTIONS = ("access_token.handed_out", "credential.refresh_sent")
_INDEXES = (
    Index(fields=["action", "at"], name="audit_action", condition=~Q(action__in=_USUAL_ACTIONS)),
    Index(fields=["outcome", "at"], name="audit_outcome", condition=Q(outcome__in=["refused", "failed"])),
    Index(fields=["code", "at"], name="audit_code", condition=~Q(code="")),
    Index(fields=["actor_kind", "at"], name="audit_actor_kind", condition=~Q(actor_kind="application")),
    Index(fields=["actor_id", "at"], name="audit_actor", condition=~Q(actor_id="")),
    Index(fields=["target_kind", "at"], name="audit_target_kind", condition=~Q(target_kind="org")),
    Index(fields=["target_id", "at"], name="audit_target", condition=~Q(target_id="")),
    Index(fields=["request_id"], name="audit_request", condition=~Q(request_id="")),
    Index(fields=["fingerprint"], name="audit_fingerprint", condition=~Q(fingerprint="")),
    Index(fields=["address"], name="audit_address", opclasses=["varchar_pattern_ops"]),
)


class Migration(migrations.Migration):
    dependencies = [("authn", "0001_squashed_0013_drop_cache_table")]
    operations = [
        # Without its index first: PostgreSQL's second index of a column is dropped by the column's name.
        migrations.AlterField("auditevent", "org_username", models.CharField(blank=True, max_length=255)),
        migrations.AlterField("auditevent", "action", models.CharField(choices=Action.choices, max_length=48)),
        migrations.RenameField("auditevent", "org_username", "target_label"),
        migrations.AddField(
            "auditevent",
            "target_kind",
            models.CharField(blank=True, choices=TargetKind.choices, db_default="", max_length=24),
        ),
        migrations.AddField("auditevent", "target_id", models.CharField(blank=True, db_default="", max_length=64)),
        *(migrations.AddIndex("auditevent", index) for index in _INDEXES),
    ]
