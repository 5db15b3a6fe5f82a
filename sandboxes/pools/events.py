"""Records what happens to pool instances in the audit."""

from authn import audit
from authn.principals import Principal
from sandboxes.models import PoolInstance


def record_event(action: audit.Action, instance: PoolInstance, by: Principal, **details: str) -> None:
    """Record an action on an instance, with its repository and pool tag."""
    details |= {"repository": instance.repository, "pool": instance.pool_tag}
    audit.record(action, audit.Outcome.GRANTED, by=by, target=instance.audit_target, **details)
