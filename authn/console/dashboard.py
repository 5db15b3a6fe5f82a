"""Dashboard panels on the audit: issued access tokens per day and per principal."""

from collections import Counter
from datetime import timedelta

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from authn.audit_actions import Action, Outcome
from authn.console.admin_base import audit_url
from authn.console.charts import Bar, bars, columns
from authn.models import AuditEvent

DAYS = 14
_MAX_PRINCIPALS = 8
_KINDS = {"user": "user", "application": "application token", "system": "system"}


def tokens_per_day() -> dict[str, object]:
    """Return a chart of the access tokens issued on each of the last DAYS days, in UTC."""
    counted = Counter(
        dict(_issued().annotate(day=TruncDate("at")).order_by("day").values_list("day").annotate(Count("id")))
    )
    today = timezone.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    points = [(f"{day:%a, %d %b}", f"{day:%d}", counted[day]) for day in days]
    return {"chart": columns(points), "days": DAYS, "first": points[0][0], "last": points[-1][0]}


def tokens_per_principal() -> dict[str, object]:
    """Return the principals with the most issued access tokens in the last DAYS days."""
    counted = _issued().order_by().values_list("actor_kind", "actor_name").annotate(count=Count("id"))
    rows = list(counted.order_by("-count", "actor_name")[: _MAX_PRINCIPALS + 1])
    shown = [
        Bar(name or "anonymous", count, link=audit_url(name), note=_KINDS.get(kind, kind))
        for kind, name, count in rows[:_MAX_PRINCIPALS]
    ]
    return {
        "bars": bars(shown),
        "days": DAYS,
        "more": len(rows) > _MAX_PRINCIPALS,
        "what": "Principal",
        "unit": "Access tokens",
    }


def _issued() -> QuerySet[AuditEvent]:
    first = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    return AuditEvent.objects.filter(action=Action.ACCESS_TOKEN, outcome=Outcome.GRANTED, at__gte=first)
