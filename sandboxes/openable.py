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
from sandboxes.continuing import continue_link
from sandboxes.models import PoolInstance

# So many of each are shown; whoever has more types a part of the name.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Openable:
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
class Found:
    """What was found, and how many more there are."""

    shown: Sequence[Openable]
    more: int


def orgs_for(person: User, words: str) -> Found:
    """Return the registered orgs that a person may open and that fit all words, by username."""
    rows = SalesforceOrg.objects.exclude(org_id="")
    if not person.is_owner:
        closed = Q(kind=Kind.PRODUCTION) | Q(is_dev_hub=True)
        rows = rows.exclude(closed & Q(member_frontdoor=False))
    fields = ("username", "sandbox_name", "instance_url", "organization_type", "org_id", "metadata_rows__value")
    fitting = rows.filter(_fits(words, fields)).distinct()
    return _found([_of_org(org) for org in fitting.for_answers().order_by("username_key")[: SHOWN + 1]], fitting)


def instances_for(person: User, words: str) -> Found:
    """Return the pool instances that a person may open and that fit all words, the person's own first."""
    PoolInstance.objects.expire_overdue_if_possible()
    statuses = [PoolInstance.Status.ASSIGNED]
    if person.is_owner:
        statuses.append(PoolInstance.Status.AVAILABLE)
    fields = ("name", "username", "repository", "pool_tag", "assignment_id", "assigned_to_email")
    rows = PoolInstance.objects.filter(_fits(words, fields), status__in=statuses)
    mine = Q(assigned_to_email__iexact=person.email)
    others = rows.exclude(mine).order_by("name")
    listed = [*rows.filter(mine).order_by("expires_at")[: SHOWN + 1], *others[: SHOWN + 1]]
    return _found([_of_instance(instance, person) for instance in listed], rows)


def _fits(words: str, fields: Sequence[str]) -> Q:
    """Return the condition that each word is a part of some field, whatever its case."""
    fits = Q()
    for word in words.split()[:10]:
        fits &= reduce(or_, (Q(**{f"{name}__icontains": word}) for name in fields))
    return fits


def _found(listed: list[Openable], rows: "QuerySet[Any]") -> Found:
    if len(listed) <= SHOWN:
        return Found(listed, 0)
    return Found(listed[:SHOWN], rows.count() - SHOWN)


def _of_org(org: SalesforceOrg) -> Openable:
    return Openable(
        name=org.username,
        detail=host_of(org.instance_url),
        kind=Kind(org.kind).label,
        path=continue_link(org.username),
        is_dev_hub=org.is_dev_hub,
        needs_owner=org.credential is None or org.credential.health == "expired",
    )


def _of_instance(instance: PoolInstance, person: User) -> Openable:
    return Openable(
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
