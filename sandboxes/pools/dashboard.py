"""The dashboard's view of pools: how full each is."""

from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.http import urlencode

from orgs.admin.dashboard import Need, need_of, needs_attention
from sandboxes.models import PoolInstance

TONES = {"AVAILABLE": "good", "ASSIGNED": "info", "PROVISIONING": "warn", "EXPIRED": "calm"}
_MOST = 12


def instances_needing_attention(most: int) -> list[Need]:
    """Return the instances, in a pool still, whose own key needs an owner's hand."""
    dead = PoolInstance.objects.filter(needs_attention(unverified=False)).exclude(status=PoolInstance.Status.EXPIRED)
    rows = dead.select_related("credential")
    return [_need_of(instance) for instance in rows.order_by("credential__health", "name")[:most]]


def _need_of(instance: PoolInstance) -> Need:
    link = reverse("admin:sandboxes_poolinstance_change", args=[instance.pk])
    again = "Take it out of its pool, log in to it anew with `sf org login web`, and add it again."
    return need_of(instance, str(instance), link, action=again)


def pool_fill() -> dict[str, Any]:
    """Return, for each pool, how many instances are in each state, as shares of one bar."""
    PoolInstance.objects.expire_overdue_if_possible()
    trips_breaker = {status.value: Count("id", filter=Q(status=status)) for status in PoolInstance.Status}
    pools = PoolInstance.objects.order_by("repository", "pool_tag").values("repository", "pool_tag")
    rows: list[Any] = list(pools.annotate(total=Count("id"), **trips_breaker)[: _MOST + 1])
    return {"pools": [_pool(row) for row in rows[:_MOST]], "more": len(rows) > _MOST}


def _pool(row: dict[str, Any]) -> dict[str, Any]:
    parts, start = [], 0.0
    for status in PoolInstance.Status:
        width = round(100 * row[status.value] / row["total"], 2)
        parts.append(
            {"label": status.label, "count": row[status.value], "tone": TONES[status], "x": start, "width": width}
        )
        start = round(start + width, 2)
    query = urlencode({"repository": row["repository"], "pool_tag": row["pool_tag"]})
    link = f"{reverse('admin:sandboxes_poolinstance_changelist')}?{query}"
    return {"repository": row["repository"], "tag": row["pool_tag"], "parts": parts, "link": link}
