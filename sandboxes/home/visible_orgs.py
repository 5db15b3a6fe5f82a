"""The registered orgs and pool instances that a user may open in a browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Q, QuerySet

from authn.models import User
from orgs.credentials import Health
from orgs.models import Kind, SalesforceOrg
from orgs.salesforce import host_of
from sandboxes.continue_action import continue_link
from sandboxes.frontdoor_permissions import OPEN_TO_MEMBERS
from sandboxes.models import PoolInstance

# In each list. Users with more orgs search by a part of the name.
MAX_SHOWN = 50


@dataclass(frozen=True, slots=True)
class VisibleOrg:
    """One line of the home page. A POST to `path` opens the org; `link` is the same address, to share."""

    name: str
    detail: str
    kind: str
    path: str
    is_dev_hub: bool = False
    needs_owner: bool = False
    repository: str = ""
    holder: str = ""
    is_mine: bool = False
    status: str = ""
    expires_at: datetime | None = None

    @property
    def link(self) -> str:
        """Return the absolute URL of the continue link."""
        return f"{settings.PUBLIC_URL}{self.path}"


@dataclass(frozen=True, slots=True)
class VisibleOrgs:
    """The first matches, and the number of further ones."""

    shown: Sequence[VisibleOrg]
    more: int


def orgs_for(user: User, search: str) -> VisibleOrgs:
    """Return the registered orgs that the user may open and that match all words of the search, by username."""
    rows = SalesforceOrg.objects.exclude(org_id="")
    if not user.is_owner:
        rows = rows.filter(OPEN_TO_MEMBERS)
    fields = ("username", "sandbox_name", "instance_url", "organization_type", "org_id", "metadata_rows__value")
    matching = rows.filter(_matches(search, fields)).distinct()
    return _limited(
        [_from_org(org) for org in matching.with_related().order_by("username_key")[: MAX_SHOWN + 1]], matching
    )


def instances_for(user: User, search: str) -> VisibleOrgs:
    """Return the pool instances that the user may open and that match all words, those assigned to the user first."""
    PoolInstance.objects.expire_overdue_if_possible()
    statuses = [PoolInstance.Status.ASSIGNED]
    if user.is_owner:
        statuses.append(PoolInstance.Status.AVAILABLE)
    fields = ("name", "username", "repository", "pool_tag", "assignment_id", "assigned_to_email")
    rows = PoolInstance.objects.filter(_matches(search, fields), status__in=statuses)
    mine = Q(assigned_to_email__iexact=user.email)
    others = rows.exclude(mine).order_by("name")
    listed = [*rows.filter(mine).order_by("expires_at")[: MAX_SHOWN + 1], *others[: MAX_SHOWN + 1]]
    return _limited([_from_instance(instance, user) for instance in listed], rows)


def _matches(search: str, fields: Sequence[str]) -> Q:
    """Return the filter for rows where each word is in one of the fields, case-insensitively."""
    condition = Q()
    for word in search.split()[:10]:
        condition &= reduce(or_, (Q(**{f"{name}__icontains": word}) for name in fields))
    return condition


def _limited(listed: list[VisibleOrg], rows: "QuerySet[SalesforceOrg] | QuerySet[PoolInstance]") -> VisibleOrgs:
    if len(listed) <= MAX_SHOWN:
        return VisibleOrgs(listed, 0)
    return VisibleOrgs(listed[:MAX_SHOWN], rows.count() - MAX_SHOWN)


def _from_org(org: SalesforceOrg) -> VisibleOrg:
    return VisibleOrg(
        name=org.username,
        detail=host_of(org.instance_url),
        kind=Kind(org.kind).label,
        path=continue_link(org.username),
        is_dev_hub=org.is_dev_hub,
        needs_owner=org.credential is None or org.credential.health == Health.EXPIRED,
    )


def _from_instance(instance: PoolInstance, user: User) -> VisibleOrg:
    return VisibleOrg(
        name=instance.name,
        detail=f"{instance.pool_tag} · {instance.assignment_id}" if instance.assignment_id else instance.pool_tag,
        kind=PoolInstance.Type(instance.type).label,
        path=continue_link(instance.name, repository=instance.repository),
        repository=instance.repository,
        holder=instance.assigned_to_email,
        is_mine=bool(instance.assigned_to_email) and instance.assigned_to_email.lower() == user.email,
        status=PoolInstance.Status(instance.status).label,
        expires_at=instance.expires_at,
    )
