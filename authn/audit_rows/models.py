"""The table of audit rows, with an index for each filter and search of the console.

PostgreSQL has two more indexes, for searches by the start of a label or an actor's name in any spelling:
`authn/migrations/0015_audit_search_indexes.py`.
"""

from django.db import models
from django.db.models import Index, Q
from django.db.models.functions import Now

from authn.audit_actions import Action, Outcome, TargetKind

# Most rows have these values. A partial index leaves them out: the newest rows are read by their time.
_USUAL_ACTIONS = (Action.ACCESS_TOKEN.value, Action.REFRESH_SENT.value)


class AuditEvent(models.Model):
    """One action that was granted, refused or failed. Holds no secret; rows are added, never changed.

    `fingerprint` is a keyed hash of an issued token: it identifies a token found elsewhere, and cannot be
    turned back into the token. The target (`authn/audit_rows/targets.py`) is empty for an action without one.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), db_index=True)
    action = models.CharField(max_length=48, choices=Action.choices)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    code = models.CharField(max_length=48, blank=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    # Defaults of the database: a process of the previous version can still write rows during an upgrade.
    target_kind = models.CharField(max_length=24, choices=TargetKind.choices, blank=True, db_default="")
    target_id = models.CharField(max_length=64, blank=True, db_default="")
    target_label = models.CharField(max_length=255, blank=True)
    fingerprint = models.CharField(max_length=16, blank=True)
    # By field: `{"before": ..., "after": ...}` (authn/audit_rows/changes.py). None if nothing was changed.
    changes = models.JSONField(null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=["action", "at"], name="audit_action", condition=~Q(action__in=_USUAL_ACTIONS)),
            Index(fields=["outcome", "at"], name="audit_outcome", condition=Q(outcome__in=["refused", "failed"])),
            Index(fields=["code", "at"], name="audit_code", condition=~Q(code="")),
            Index(fields=["actor_kind", "at"], name="audit_actor_kind", condition=~Q(actor_kind="application")),
            Index(fields=["actor_id", "at"], name="audit_actor", condition=~Q(actor_id="")),
            Index(fields=["target_kind", "at"], name="audit_target_kind", condition=~Q(target_kind="org")),
            Index(fields=["target_id", "at"], name="audit_target", condition=~Q(target_id="")),
            Index(fields=["request_id"], name="audit_request", condition=~Q(request_id="")),
            Index(fields=["fingerprint"], name="audit_fingerprint", condition=~Q(fingerprint="")),
            # Serves the start of an address (LIKE) and, unlike `db_index=True`, needs no second index for equality.
            Index(fields=["address"], name="audit_address", opclasses=["varchar_pattern_ops"]),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.outcome} by {self.actor_name}"
