"""Counts refusals of tokens that prove no live principal: expired, revoked, or of a person who is switched off.

Whoever holds such a token, or found it, may send it a million times, so a refusal is no audit row of
its own. The first one of a holder and code is written at once; those of the next hour are counted
and written together, by the next refusal after it or by the sweep.
"""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from authn import audit
from authn.models import ApplicationToken, TokenRefusals, User
from authn.principals import Principal

REPORTED_EVERY = timedelta(hours=1)

logger = logging.getLogger("frontdesk.refusals")


def note(action: audit.Action, *, by: Principal, code: str, **details: Any) -> None:
    """Count a refusal of a token of `by`; at most one in an hour becomes an audit row, with the count so far."""
    logger.info("Refused a token of %s %s: %s", by.kind, by.id, code)
    key = {"holder_kind": by.kind, "holder_id": by.id, "action": action, "code": code}
    rows = TokenRefusals.objects.filter(**key)
    with transaction.atomic():
        # The UPDATE locks the row, so that what is read after it is exact.
        if not rows.update(unreported=F("unreported") + 1):
            TokenRefusals.objects.bulk_create([TokenRefusals(**key)], ignore_conflicts=True)
            rows.update(unreported=F("unreported") + 1)
        due = rows.filter(Q(reported_at=None) | _an_hour_old()).first()
        if due is not None:
            _report(due, address=by.address, request_id=by.request_id, **details)


def report_counted() -> int:
    """Write what was counted in the hour that is over, and forget holders of whom nothing came. A sweep."""
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


def _report(row: TokenRefusals, *, address: str = "", request_id: str = "", **details: Any) -> None:
    name = _name_of(row.holder_kind, row.holder_id)
    holder = Principal(row.holder_kind, row.holder_id, name, role=None, address=address, request_id=request_id)
    action = audit.Action(row.action)
    audit.record(action, audit.Outcome.REFUSED, by=holder, code=row.code, refusals=row.unreported, **details)
    TokenRefusals.objects.filter(pk=row.pk).update(unreported=0, reported_at=Now())


def _name_of(kind: str, identifier: str) -> str:
    """Return the e-mail or name of a holder as it is now, "" for one who is gone."""
    try:
        key = uuid.UUID(identifier)
    except ValueError:
        return ""
    names: QuerySet[Any, Any] = (
        User.objects.filter(pk=key).values_list("email", flat=True)
        if kind == "user"
        else ApplicationToken.objects.filter(pk=key).values_list("name", flat=True)
    )
    return str(names.first() or "")


def _an_hour_old() -> Q:
    limit: Combinable = ExpressionWrapper(Now() - REPORTED_EVERY, output_field=DateTimeField())
    return Q(reported_at__lte=limit)


def _text(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""
