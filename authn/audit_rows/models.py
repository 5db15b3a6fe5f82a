"""The table of audit rows, with an index for each filter and search of the console.

PostgreSQL has two more indexes, for searches by the start of a label or an actor's name in any spelling:
`authn/migrations/0015_audit_search_indexes.py`.
"""

from django.db import models
from django.db.models import Exists, Index, OuterRef, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from authn.audit_actions import Action, Outcome, TargetKind

# Most rows have these values. A partial index leaves them out: the newest rows are read by their time.
_USUAL_ACTIONS = (Action.ACCESS_TOKEN.value, Action.REFRESH_SENT.value)

# Older versions wrote two rows for an attempt, its beginning and its end.
_MAX_ATTEMPTS = 2


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    """Audit rows, one by one or as lines."""

    def lines(self) -> "AuditQuerySet":
        """Keep one row for each thing that was done: leave out attempts that a later row completes.

        An attempt that nothing completed, because its process died, is a line of its own.
        """
        return self.filter(is_line())


def is_line() -> Combinable:
    """Return the condition for rows that no later row completes."""
    return ~Exists(AuditEvent.objects.filter(attempt_id=OuterRef("pk")))


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
    # The row that this one completes: that of the refresh attempt which an issue, a failure or an end belongs to.
    # No constraint: the sweep may delete an attempt before the row that completes it.
    attempt = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False,
        related_name="completed_by",
    )  # fmt: skip

    objects = AuditQuerySet.as_manager()

    # The URL of the target's page in the console, set by the console's list.
    page_url = ""

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
            Index(fields=["attempt"], name="audit_attempt", condition=Q(attempt__isnull=False)),
            # Serves the start of an address (LIKE) and, unlike `db_index=True`, needs no second index for equality.
            Index(fields=["address"], name="audit_address", opclasses=["varchar_pattern_ops"]),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.outcome} by {self.actor_name}"

    def attempts(self) -> "list[AuditEvent]":
        """Return the rows that this one completes, the newest first. Rows that were deleted are left out."""
        found: list[AuditEvent] = []
        while (event := found[-1] if found else self).attempt_id and len(found) < _MAX_ATTEMPTS:
            attempt = AuditEvent.objects.filter(pk=event.attempt_id).first()
            if attempt is None:
                break
            found.append(attempt)
        return found
