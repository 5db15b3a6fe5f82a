"""Counts refused requests with expired or revoked tokens, and with tokens of deactivated users.

A client may send such a token a million times, so a refusal does not write an audit row each time. The
first refusal of a holder and code is written at once; those of the following hour are counted and written
as one row, by the next refusal after that hour or by the sweep.
"""

import logging
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from authn import audit
from authn.models import ApplicationToken, TokenRefusals, User
from authn.principals import Kind, Principal

REPORTED_EVERY = timedelta(hours=1)

logger = logging.getLogger("frontdesk.refusals")


def count(action: audit.Action, *, by: Principal, code: str, **details: str | None) -> None:
    """Count a refusal of a token of `by`; at most one per hour writes an audit row, with the count so far."""
    logger.info("Refused a token of %s %s: %s", by.kind, by.id, code)
    key = {"holder_kind": by.kind, "holder_id": by.id, "action": action, "code": code}
    rows = TokenRefusals.objects.filter(**key)
    with transaction.atomic():
        # The UPDATE locks the row, which makes the count read below exact.
        if not rows.update(unreported=F("unreported") + 1):
            TokenRefusals.objects.bulk_create([TokenRefusals(**key)], ignore_conflicts=True)
            rows.update(unreported=F("unreported") + 1)
        due = rows.filter(Q(reported_at=None) | _an_hour_old()).first()
        if due is not None:
            texts = {name: value or "" for name, value in details.items()}
            _report(due, address=by.address, request_id=by.request_id, **texts)


def report_counted() -> int:
    """Write counts that are an hour old to the audit, and delete rows without refusals. A sweep."""
    done = 0
    for key in list(TokenRefusals.objects.filter(_an_hour_old()).values_list("pk", flat=True)):
        with transaction.atomic():
            row = TokenRefusals.objects.select_for_update().filter(_an_hour_old(), pk=key).first()
            if row is None:
                continue
            if row.unreported:
                _report(row, since=_text(row.reported_at))
            else:
                row.delete()
        done += 1
    return done


def _report(row: TokenRefusals, *, address: str = "", request_id: str = "", **details: str) -> None:
    kind: Kind = "user" if row.holder_kind == "user" else "application"
    holder = Principal(
        kind, row.holder_id, _name_of(kind, row.holder_id), role=None, address=address, request_id=request_id
    )
    action = audit.Action(row.action)
    audit.record(
        action,
        audit.Outcome.REFUSED,
        by=holder,
        target=holder.audit_target,
        code=row.code,
        changes=None,
        attempt_id=None,
        refusals=row.unreported,
        **details,
    )
    TokenRefusals.objects.filter(pk=row.pk).update(unreported=0, reported_at=Now())


def _name_of(kind: Kind, identifier: str) -> str:
    """Return the current e-mail or name of a holder, "" for one that no longer exists."""
    try:
        key = uuid.UUID(identifier)
    except ValueError:
        return ""
    if kind == "user":
        name = User.objects.filter(pk=key).values_list("email", flat=True).first()
    else:
        name = ApplicationToken.objects.filter(pk=key).values_list("name", flat=True).first()
    return name or ""


def _an_hour_old() -> Q:
    limit: Combinable = ExpressionWrapper(Now() - REPORTED_EVERY, output_field=DateTimeField())
    return Q(reported_at__lte=limit)


def _text(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
