"""Records what happens to pool instances in the audit."""

from authn import audit
from authn.principals import Principal
from sandboxes.models import PoolInstance

# What the audit compares, before or after.
Settings = dict[str, object]


def settings_of(instance: PoolInstance) -> Settings:
    """Return what the audit compares before and after an event of an instance."""
    return {
        "status": str(instance.status),
        "assignmentId": instance.assignment_id or None,
        "assignedToUserEmail": instance.assigned_to_email or None,
        "expiresAt": instance.expires_at,
    }


def record_event(
    action: audit.Action,
    instance: PoolInstance,
    by: Principal,
    *,
    before: Settings,
    after: Settings | None = None,
    **details: str,
) -> None:
    """Record an action on an instance, whose settings were `before`, with its repository and pool tag.

    The settings after it are those of `instance`, unless `after` is given.
    """
    details |= {"repository": instance.repository, "pool": instance.pool_tag}
    changes = audit.changes(before, settings_of(instance) if after is None else after)
    target = instance.audit_target
    audit.record(action, audit.Outcome.GRANTED, by=by, target=target, changes=changes, attempt_id=None, **details)
