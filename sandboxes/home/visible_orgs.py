"""What a person may open in a browser: registered orgs and pool instances, found as they type."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from authn.models import User
from orgs.models import SalesforceOrg
from orgs.organization_kinds import Kind
from orgs.salesforce import host_of
from sandboxes.continue_action import continue_link
from sandboxes.models import PoolInstance

# So many of each are shown; whoever has more types a part of the name.
MAX_SHOWN = 50


@dataclass(frozen=True, slots=True)
class VisibleOrg:
    """One line of the home page. `path` opens it by a POST, `link` is the same for a chat."""

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
        """Return the whole address of the continue link."""
        return f"{settings.PUBLIC_URL}{self.path}"


@dataclass(frozen=True, slots=True)
class VisibleOrgs:
    """What was found, and how many more there are."""

    shown: Sequence[VisibleOrg]
    more: int


def orgs_for(person: User, words: str) -> VisibleOrgs:
    """Return the registered orgs that a person may open and that fit all words, by username."""
    rows = SalesforceOrg.objects.exclude(org_id="")
    if not person.is_owner:
        closed = Q(kind=Kind.PRODUCTION) | Q(is_dev_hub=True)
        rows = rows.exclude(closed & Q(member_frontdoor=False))
    fields = ("username", "sandbox_name", "instance_url", "organization_type", "org_id", "metadata_rows__value")
    fitting = rows.filter(_matches(words, fields)).distinct()
    return _limited(
        [_from_org(org) for org in fitting.for_answers().order_by("username_key")[: MAX_SHOWN + 1]], fitting
    )


def instances_for(person: User, words: str) -> VisibleOrgs:
    """Return the pool instances that a person may open and that fit all words, the person's own first."""
    PoolInstance.objects.expire_overdue_if_possible()
    statuses = [PoolInstance.Status.ASSIGNED]
    if person.is_owner:
        statuses.append(PoolInstance.Status.AVAILABLE)
    fields = ("name", "username", "repository", "pool_tag", "assignment_id", "assigned_to_email")
    rows = PoolInstance.objects.filter(_matches(words, fields), status__in=statuses)
    mine = Q(assigned_to_email__iexact=person.email)
    others = rows.exclude(mine).order_by("name")
    listed = [*rows.filter(mine).order_by("expires_at")[: MAX_SHOWN + 1], *others[: MAX_SHOWN + 1]]
    return _limited([_from_instance(instance, person) for instance in listed], rows)


def _matches(words: str, fields: Sequence[str]) -> Q:
    """Return the condition that each word is a part of some field, whatever its case."""
    fits = Q()
    for word in words.split()[:10]:
        fits &= reduce(or_, (Q(**{f"{name}__icontains": word}) for name in fields))
    return fits


def _limited(listed: list[VisibleOrg], rows: "QuerySet[Any]") -> VisibleOrgs:
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
        needs_owner=org.credential is None or org.credential.health == "expired",
    )


def _from_instance(instance: PoolInstance, person: User) -> VisibleOrg:
    return VisibleOrg(
        name=instance.name,
        detail=f"{instance.pool_tag} · {instance.assignment_id}" if instance.assignment_id else instance.pool_tag,
        kind=PoolInstance.Type(instance.type).label,
        path=continue_link(instance.name, repository=instance.repository),
        repository=instance.repository,
        holder=instance.assigned_to_email,
        is_mine=bool(instance.assigned_to_email) and instance.assigned_to_email.lower() == person.email,
        status=PoolInstance.Status(instance.status).label,
        expires_at=instance.expires_at,
    )
