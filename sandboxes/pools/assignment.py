"""Gives the orgs of a pool to whoever asks, one holder at a time, and takes them back."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from authn import audit
from authn.principals import Principal
from orgs.credentials import (
    OrgError,
    OrgGone,
    SalesforceLimited,
    SalesforceTimedOut,
    SalesforceUnavailable,
    SandboxNotFound,
    SpoolUnavailable,
    error_for,
)
from sandboxes.errors import AssignedInOtherPool, NotFound, PoolEmpty, ScratchOrgExpired, SearchIncomplete
from sandboxes.models import PoolInstance
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.pools.access import instance_session

Status = PoolInstance.Status
DEFAULT_HOURS = 24
# An instance whose org does not open is passed over, but not so often that a fetch takes minutes.
_TRIES = 3
_TEMPORARY = (SalesforceUnavailable, SalesforceTimedOut, SalesforceLimited, SpoolUnavailable, SearchIncomplete)
_UNUSABLE = (OrgGone, ScratchOrgExpired, SandboxNotFound, NotFound)


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Who wants an org of which pool, and for how long."""

    repository: str
    pool_tag: str
    assignment_id: str
    email: str = ""
    hours: int = DEFAULT_HOURS


def fetch(wanted: FetchRequest, *, by: Principal) -> tuple[PoolInstance, OrgSession]:
    """Assign the next available instance, and open it. The same assignment gets the same org again.

    An instance whose org is gone expires; one that does not open goes to the end of the queue, and
    the next is tried. Raises PoolEmpty, AssignedInOtherPool, and what opening the last one raised.
    """
    audit.require_writable()
    for tries_left in reversed(range(_TRIES)):
        instance, is_new = _assign(wanted, by)
        try:
            return instance, instance_session(instance, by=by, action=audit.Action.ACCESS_TOKEN)
        except OrgError as error:
            if is_new:
                _undo(instance, error, by)
            if not is_new or isinstance(error, _TEMPORARY) or not tries_left:
                raise
    raise AssertionError("unreachable")


def unassign(*, repository: str, assignment_id: str, return_to_pool: bool, by: Principal) -> PoolInstance:
    """Take an instance from an assignment: back to the pool, or out of it. Raises NotFound."""
    with transaction.atomic():
        held = PoolInstance.objects.select_for_update(of=("self",)).filter(
            repository=repository, assignment_id=assignment_id, status__in=(Status.ASSIGNED, Status.EXPIRED)
        )
        instance = held.order_by("status", "pk").first()
        if instance is None:
            raise NotFound(
                "ASSIGNMENT_NOT_FOUND",
                f"Nothing of {repository} is assigned to {assignment_id!r}.",
                "List what is: GET /sfp/api/pools/instances?repository=...&status=ASSIGNED.",
            )
        instance.release(Status.AVAILABLE if return_to_pool else Status.EXPIRED)
        instance.save()
        _audit(audit.Action.POOL_UNASSIGNED, instance, by, assignment=assignment_id)
    return instance


def _assign(wanted: FetchRequest, by: Principal) -> tuple[PoolInstance, bool]:
    """Return the instance that an assignment has, or has now, and whether it is new."""
    for _ in range(3):
        try:
            with transaction.atomic():
                PoolInstance.objects.expire_overdue()
                return (held, False) if (held := _held(wanted)) else (_take(wanted, by), True)
        except IntegrityError:
            continue  # The same assignment was given one at this moment.
    raise error_for("UPSTREAM_BUSY")


def _held(wanted: FetchRequest) -> PoolInstance | None:
    rows = PoolInstance.objects.filter(
        repository=wanted.repository, assignment_id=wanted.assignment_id, status=Status.ASSIGNED
    )
    held = rows.select_related("parent").first()
    if held is not None and held.pool_tag != wanted.pool_tag:
        raise AssignedInOtherPool(wanted.assignment_id, held.name, held.pool_tag)
    if held is not None:
        rows.filter(pk=held.pk).update(assigned_at=timezone.now())
    return held


def _take(wanted: FetchRequest, by: Principal) -> PoolInstance:
    free = PoolInstance.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        repository=wanted.repository, pool_tag=wanted.pool_tag, status=Status.AVAILABLE
    )
    instance = free.order_by(F("failed_at").asc(nulls_first=True), "created_at", "pk").first()
    if instance is None:
        raise PoolEmpty(wanted.repository, wanted.pool_tag)
    instance.assign(wanted.assignment_id, email=wanted.email, hours=wanted.hours)
    instance.save()
    _audit(audit.Action.POOL_FETCHED, instance, by, assignment=wanted.assignment_id)
    return instance


def _undo(instance: PoolInstance, error: OrgError, by: Principal) -> None:
    """Undo an assignment whose org did not open, unless it has ended since, or been asked for again.

    Each asking renews `assigned_at`, so that it says whose assignment, and which asking of it, this was.
    """
    given = {"assignment_id": instance.assignment_id, "assigned_at": instance.assigned_at}
    instance.release(Status.EXPIRED if isinstance(error, _UNUSABLE) else Status.AVAILABLE)
    instance.failed_at = timezone.now()
    held = PoolInstance.objects.filter(pk=instance.pk, status=Status.ASSIGNED, **given)
    taken = held.update(
        status=instance.status,
        assignment_id="",
        assigned_to_email="",
        assigned_at=None,
        expires_at=None,
        failed_at=instance.failed_at,
    )
    if taken:
        _audit(audit.Action.POOL_UNASSIGNED, instance, by, assignment=str(given["assignment_id"]), because=error.code)


def _audit(action: audit.Action, instance: PoolInstance, by: Principal, **facts: str) -> None:
    facts |= {"repository": instance.repository, "pool": instance.pool_tag}
    audit.record(action, audit.Outcome.GRANTED, by=by, org=instance.name, **facts)
