"""Writes the audit: who did what, to which org, and how it ended.

A row is written in the transaction of what it records. If the row cannot be written, nothing happens and nothing is
handed out: the request fails with AuditUnavailable, and Salesforce is not asked.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import Error, transaction

from authn.actors import Actor, system
from authn.audit_actions import Action, Outcome
from authn.errors import AuditUnavailable
from authn.fail_fast import FailFast, KeptWaiting
from authn.models import AuditEvent
from authn.safe_text import escaped, escaped_values

__all__ = [
    "Action", "Outcome", "event", "fingerprint", "forget_written", "gate", "record", "record_all", "require_writable"
]  # fmt: skip

logger = logging.getLogger("frontdesk.audit")

# A thread that serves no request, such as a sweep, proves again after so long that rows can be written.
_PROVEN_SECONDS = 30.0
_written_at: ContextVar[float] = ContextVar("audit_written_at", default=float("-inf"))
# Only what keeps callers waiting is spared the others: a locked table, not a refused row.
gate = FailFast(slow_seconds=0.5, pause_seconds=2.0)


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

    `token` is fingerprinted, never stored. `details` must be JSON and free of secrets. Texts are stored
    as they may be shown, with unsafe characters written out.
    """
    return AuditEvent(
        action=action,
        outcome=outcome,
        code=code,
        actor_kind=by.kind,
        actor_id=by.id,
        actor_name=escaped(by.name)[:254],
        address=by.address,
        request_id=by.request_id,
        org_username=escaped(org)[:255],
        fingerprint=fingerprint(token) if token else "",
        details=escaped_values(details),
    )


def record(action: Action, outcome: Outcome, *, by: Actor, **facts: Any) -> AuditEvent:
    """Store one audit row. Takes what `event` takes. Raises AuditUnavailable."""
    row = event(action, outcome, by=by, **facts)
    with _writing():
        row.save(force_insert=True)
    return row


def record_all(events: Iterable[AuditEvent]) -> None:
    """Store many audit rows at once. Raises AuditUnavailable."""
    with _writing():
        AuditEvent.objects.bulk_create(events)


def require_writable() -> None:
    """Raise AuditUnavailable unless a row can be stored now. Call it before asking Salesforce or changing anything.

    Writes a row and takes it back; nothing at all if this request has written one before.
    """
    if time.monotonic() - _written_at.get() < _PROVEN_SECONDS:
        return
    with _writing(), transaction.atomic():
        event(Action.REQUEST, Outcome.ATTEMPTED, by=system("audit check")).save(force_insert=True)
        transaction.set_rollback(True)


def forget_written(**_: Any) -> None:
    """Begin a request: what another one could write is no proof for it."""
    _written_at.set(float("-inf"))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        with gate.attempt():
            yield
    except KeptWaiting as error:
        raise AuditUnavailable from error
    except Error as error:
        logger.error("An audit row could not be written.", exc_info=error)
        raise AuditUnavailable from error
    _written_at.set(time.monotonic())


def fingerprint(token: str) -> str:
    """Return the first 12 hex digits of HMAC-SHA256(AUDIT_KEY, token)."""
    return hmac.new(settings.AUDIT_KEY.encode(), token.encode(), hashlib.sha256).hexdigest()[:12]
