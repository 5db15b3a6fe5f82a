"""Writes the audit: who did what, to which org, and how it ended.

A row is written in the transaction of the deed it tells of. If the row cannot be written, the
deed does not happen and nothing is handed out.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from authn.actors import Actor
from authn.audit_actions import Action, Outcome
from authn.models import AuditEvent

__all__ = ["Action", "Outcome", "event", "fingerprint", "record", "record_all"]


def event(
    action: Action,
    outcome: Outcome,
    *,
    by: Actor,
    org: str = "",
    code: str = "",
    token: str = "",
    **details: Any,
) -> AuditEvent:
    """Build an audit row without storing it, for callers that store many at once.

    `token` is fingerprinted, never stored. `details` must be JSON and free of secrets.
    """
    return AuditEvent(
        action=action,
        outcome=outcome,
        code=code,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=by.name,
        address=by.address,
        request_id=by.request_id,
        org_username=org[:255],
        fingerprint=fingerprint(token) if token else "",
        details=details,
    )


def record(action: Action, outcome: Outcome, *, by: Actor, **facts: Any) -> AuditEvent:
    """Store one audit row. Takes what `event` takes."""
    row = event(action, outcome, by=by, **facts)
    row.save(force_insert=True)
    return row


def record_all(events: Iterable[AuditEvent]) -> None:
    """Store many audit rows at once."""
    AuditEvent.objects.bulk_create(events)


def fingerprint(token: str) -> str:
    """Return the first 12 hex digits of HMAC-SHA256(AUDIT_KEY, token)."""
    return hmac.new(settings.AUDIT_KEY.encode(), token.encode(), hashlib.sha256).hexdigest()[:12]
