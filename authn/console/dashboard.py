"""The dashboard's view of the audit: how many access tokens went out, on which days and to whom."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from authn.audit_actions import Action, Outcome
from authn.console.admin_base import audit_url
from authn.console.charts import Bar, bars, columns
from authn.models import AuditEvent

DAYS = 14
_MOST = 8
_KINDS = {"user": "person", "application": "application token", "system": "the desk itself"}


def tokens_per_day() -> dict[str, Any]:
    """Return a chart of the access tokens that were handed out on each of the last days, in UTC."""
    counted = Counter(
        dict(_issued().annotate(day=TruncDate("at")).order_by("day").values_list("day").annotate(Count("id")))
    )
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    points = [(f"{day:%a, %d %b}", f"{day:%d}", counted[day]) for day in days]
    return {"chart": columns(points), "days": DAYS, "first": points[0][0], "last": points[-1][0]}


def tokens_per_principal() -> dict[str, Any]:
    """Return who was handed most access tokens in the last days."""
    counted = _issued().order_by().values_list("actor_kind", "actor_name").annotate(count=Count("id"))
    rows = list(counted.order_by("-count", "actor_name")[: _MOST + 1])
    shown = [
        Bar(name or "nobody", count, link=audit_url(name), note=_KINDS.get(kind, kind))
        for kind, name, count in rows[:_MOST]
    ]
    return {"bars": bars(shown), "days": DAYS, "more": len(rows) > _MOST, "what": "Principal", "unit": "Access tokens"}


def _issued() -> QuerySet[AuditEvent]:
    first = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    return AuditEvent.objects.filter(action=Action.ACCESS_TOKEN, outcome=Outcome.GRANTED, at__gte=first)
