"""Dashboard panels about pools: their use, and instances whose credential needs attention."""

from typing import TypedDict

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from orgs.admin.attention import needs_attention
from orgs.admin.dashboard import AlertSource, CredentialAlert, alert_for
from sandboxes.models import PoolInstance

TONES = {
    PoolInstance.Status.AVAILABLE: "good",
    PoolInstance.Status.ASSIGNED: "info",
    PoolInstance.Status.PROVISIONING: "warn",
    PoolInstance.Status.EXPIRED: "calm",
}
_MAX_POOLS = 12
_RENEWAL = "Remove it from its pool, log in to it again with `sf org login web`, and add it again."


class BarSegment(TypedDict):
    """The instances of a pool that have one status. `x` and `width` are percentages of the bar."""

    label: str
    count: int
    tone: str
    x: float
    width: float


class PoolBar(TypedDict):
    """One pool: a bar with a segment for each status, and a link to the list of its instances."""

    repository: str
    tag: str
    parts: list[BarSegment]
    link: str


def _instances_with_alerts() -> QuerySet[PoolInstance]:
    rows = PoolInstance.objects.filter(needs_attention(include_unverified=False))
    return rows.exclude(status=PoolInstance.Status.EXPIRED)


def _instance_alerts(limit: int) -> list[CredentialAlert]:
    """Return alerts about instances with a credential of their own, at most `limit`, expired credentials first."""
    rows = _instances_with_alerts().select_related("credential")
    return [_alert(instance) for instance in rows.order_by("credential__health", "name")[:limit]]


INSTANCE_ALERTS = AlertSource(
    noun=("pool instance", "pool instances"),
    alerts=_instance_alerts,
    count=lambda: _instances_with_alerts().count(),
    address=lambda: f"{reverse('admin:sandboxes_poolinstance_changelist')}?attention=owner",
)


def _alert(instance: PoolInstance) -> CredentialAlert:
    link = reverse("admin:sandboxes_poolinstance_change", args=[instance.pk])
    return alert_for(instance.credential, str(instance), link, renewal=_RENEWAL)


def pool_usage() -> dict[str, object]:
    """Return the bars of the first pools, and whether there are more."""
    PoolInstance.objects.expire_overdue_if_possible()
    counts = {status.value: Count("id", filter=Q(status=status)) for status in PoolInstance.Status}
    pools = PoolInstance.objects.order_by("repository", "pool_tag").values_list("repository", "pool_tag")
    rows = pools.annotate(**counts).values_list("repository", "pool_tag", *counts)[: _MAX_POOLS + 1]
    bars = [_bar(repository, tag, counted) for repository, tag, *counted in rows]
    return {"pools": bars[:_MAX_POOLS], "more": len(bars) > _MAX_POOLS}


def _bar(repository: str, tag: str, counted: list[int]) -> PoolBar:
    """Return the bar of a pool. `counted` is the number of instances in each status, in the order of Status."""
    parts: list[BarSegment] = []
    start, total = 0.0, sum(counted)
    for status, count in zip(PoolInstance.Status, counted, strict=True):
        width = round(100 * count / total, 2)
        parts.append({"label": str(status.label), "count": count, "tone": TONES[status], "x": start, "width": width})
        start = round(start + width, 2)
    query = urlencode({"repository": repository, "pool_tag": tag})
    link = f"{reverse('admin:sandboxes_poolinstance_changelist')}?{query}"
    return {"repository": repository, "tag": tag, "parts": parts, "link": link}


def instance_needs_owner(rows: QuerySet[PoolInstance]) -> QuerySet[PoolInstance]:
    """Keep the instances about which the panel "Needs attention" has an alert."""
    return rows.filter(pk__in=_instances_with_alerts().values("pk"))
