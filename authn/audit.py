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
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import Error, transaction

from authn.audit_actions import Action, Outcome
from authn.database.fail_fast import FailFastGate, GateClosed
from authn.email_addresses import canonical_email
from authn.errors import AuditUnavailable
from authn.models import AuditEvent
from authn.principals import Principal, system
from authn.web.safe_text import escaped, escaped_values, is_safe_text
from authn.web.secret_text import is_marked_secret, looks_like_a_secret

__all__ = [
    "Action",
    "Outcome",
    "check_writable",
    "event",
    "fingerprint",
    "forget_written",
    "gate",
    "name_to_keep",
    "record",
    "record_all",
    "require_writable",
]

logger = logging.getLogger("frontdesk.audit")

_MAX_NAME_LENGTH = 254
# Outside a request, such as in a sweep, repeat the write check after this many seconds.
_PROVEN_SECONDS = 30.0
_written_at: ContextVar[float] = ContextVar("audit_written_at", default=float("-inf"))
# Trips on slow failures (a locked table) only, not on a refused row.
gate = FailFastGate(slow_seconds=0.5, pause_seconds=2.0)


def event(
    action: Action,
    outcome: Outcome,
    *,
    by: Principal,
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
        actor_name=escaped(by.name)[:_MAX_NAME_LENGTH],
        address=by.address,
        request_id=by.request_id,
        org_username=_fingerprinted(org) if is_marked_secret(org) else escaped(org)[:255],
        fingerprint=fingerprint(token) if token else "",
        details=escaped_values(details),
    )


def record(action: Action, outcome: Outcome, *, by: Principal, **facts: Any) -> AuditEvent:
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
    with _writing():
        _write_and_take_back()


def check_writable() -> None:
    """Raise AuditUnavailable unless a row can be stored now, whatever was found before.

    For the readiness check, which has a deadline of its own: it neither obeys the gate nor opens it.
    """
    with _failures_as_unavailable():
        _write_and_take_back()


def _write_and_take_back() -> None:
    with transaction.atomic():
        event(Action.REQUEST, Outcome.ATTEMPTED, by=system("audit check")).save(force_insert=True)
        transaction.set_rollback(True)


def forget_written(**_: Any) -> None:
    """Reset at the start of a request, which must prove again that audit rows can be written."""
    _written_at.set(float("-inf"))


@contextmanager
def _writing() -> Iterator[None]:
    with _failures_as_unavailable(), gate.attempt():
        yield
    _written_at.set(time.monotonic())


@contextmanager
def _failures_as_unavailable() -> Iterator[None]:
    try:
        yield
    except GateClosed as error:
        raise AuditUnavailable from error
    except Error as error:
        logger.error("An audit row could not be written.", exc_info=error)
        raise AuditUnavailable from error


def name_to_keep(typed: str) -> str:
    """Return the name of a refused log-in as the audit may hold it.

    A password or a token in the field for e-mail must not lie in the audit for a year. What is no
    e-mail address, or looks like a secret, is kept as a fingerprint: that of a token of this desk is
    the one in the row of its making.
    """
    name = canonical_email(typed)
    readable = len(name) <= _MAX_NAME_LENGTH and is_safe_text(name) and not looks_like_a_secret(typed)
    return name if readable and _is_email(name) else _fingerprinted(typed.strip())


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _fingerprinted(text: str) -> str:
    return f"fingerprint:{fingerprint(text)}"


def fingerprint(token: str) -> str:
    """Return the first 12 hex digits of HMAC-SHA256(AUDIT_KEY, token)."""
    text = token.encode("utf-8", "surrogatepass")
    return hmac.new(settings.AUDIT_KEY.encode(), text, hashlib.sha256).hexdigest()[:12]
