"""Writes audit rows: the principal, the action, its target and the outcome.

A row is written in the transaction of the action. If it cannot be written, the request fails with
AuditUnavailable before anything is changed, issued or sent to Salesforce.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import Error, transaction

from authn.audit_actions import Action, Outcome, TargetKind
from authn.audit_rows.changes import Changes, changes
from authn.audit_rows.changes import Value as Detail
from authn.audit_rows.fingerprints import fingerprint, fingerprinted
from authn.audit_rows.targets import Target, org_named, person_named, setting
from authn.database.fail_fast import FailFastGate, GateClosed
from authn.errors import AuditUnavailable
from authn.models import AuditEvent
from authn.principals import Principal, system
from authn.web.email_addresses import canonical_email
from authn.web.safe_text import escaped, escaped_values, is_safe_text
from authn.web.secret_text import is_marked_secret, looks_like_a_secret

__all__ = [
    "Action",
    "Changes",
    "Detail",
    "Outcome",
    "Target",
    "TargetKind",
    "changes",
    "check_writable",
    "event",
    "fingerprint",
    "forget_written",
    "gate",
    "name_to_keep",
    "org_named",
    "person_named",
    "record",
    "record_all",
    "require_writable",
    "setting",
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
    target: Target | None,
    code: str = "",
    token: str = "",
    changes: Changes | None = None,
    attempt_id: int | None = None,
    **details: Detail,
) -> AuditEvent:
    """Return an audit row without storing it, for callers that store many at once.

    `target` is what the action was done to; None for an action without a target, such as a refused list. `token`
    is stored as a fingerprint only. `changes` are what the function `changes` returned. `attempt_id` is the id of
    the row that this one completes: readers see that row inside this one. `details` must not contain secrets.
    Unsafe characters are stored escaped.
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
        **_target_columns(target),
        fingerprint=fingerprint(token) if token else "",
        changes=changes or None,
        attempt_id=attempt_id,
        details=escaped_values(details),
    )


def record(
    action: Action,
    outcome: Outcome,
    *,
    by: Principal,
    target: Target | None,
    code: str = "",
    token: str = "",
    changes: Changes | None = None,
    attempt_id: int | None = None,
    **details: Detail,
) -> AuditEvent:
    """Store one audit row, with the arguments of `event`. Raises AuditUnavailable."""
    row = event(
        action, outcome, by=by, target=target, code=code, token=token, changes=changes, attempt_id=attempt_id, **details
    )
    with _writing():
        row.save(force_insert=True)
    return row


def record_all(events: Iterable[AuditEvent]) -> None:
    """Store many audit rows at once. Raises AuditUnavailable."""
    with _writing():
        AuditEvent.objects.bulk_create(events)


def require_writable() -> None:
    """Raise AuditUnavailable unless a row can be stored now. Call it before a request to Salesforce or a change.

    Writes a row and rolls it back, unless this request has already written one.
    """
    if time.monotonic() - _written_at.get() < _PROVEN_SECONDS:
        return
    with _writing():
        _write_and_roll_back()


def check_writable() -> None:
    """Raise AuditUnavailable unless a row can be stored now, whatever earlier attempts found.

    For the readiness check, which has its own deadline: it bypasses the gate.
    """
    with _failures_as_unavailable():
        _write_and_roll_back()


def _write_and_roll_back() -> None:
    with transaction.atomic():
        event(Action.REQUEST, Outcome.ATTEMPTED, by=system("audit check"), target=None).save(force_insert=True)
        transaction.set_rollback(True)


def forget_written(**_: object) -> None:
    """Reset the result of `require_writable` at the start of a request."""
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
    """Return the name of a refused log-in for the audit: the e-mail address, or a fingerprint.

    Users type passwords and tokens into the e-mail field, and the audit is kept for a year. Text that is not
    an e-mail address, or looks like a secret, is stored as a fingerprint; that of an application token is
    the same as in the row of its creation.
    """
    name = canonical_email(typed)
    readable = len(name) <= _MAX_NAME_LENGTH and is_safe_text(name) and not looks_like_a_secret(typed)
    return name if readable and _is_email(name) else fingerprinted(typed.strip())


def _target_columns(target: Target | None) -> dict[str, str]:
    if target is None:
        return {}
    # A refused request names its org as the client typed it.
    label = fingerprinted(target.label) if is_marked_secret(target.label) else escaped(target.label)[:255]
    return {"target_kind": target.kind, "target_id": target.id[:64], "target_label": label}


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
