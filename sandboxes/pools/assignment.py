"""Assigns the orgs of a pool, each to one assignment at a time, and ends assignments."""

from dataclasses import dataclass
from datetime import timedelta

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
from sandboxes.errors import NotFound, ScratchOrgExpired, SearchIncomplete
from sandboxes.models import PoolInstance
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.pools.access import instance_session
from sandboxes.pools.errors import AssignedInOtherPool, AssignmentNotFound, PoolEmpty
from sandboxes.pools.events import record_event, settings_of

Status = PoolInstance.Status
DEFAULT_HOURS = 24
MAX_HOURS = 24 * 30
# An instance without a session is skipped for the next one. Few times only, because each try may time out.
_MAX_INSTANCES = 3
_MAX_CONFLICTS = 3
_TEMPORARY = (SalesforceUnavailable, SalesforceTimedOut, SalesforceLimited, SpoolUnavailable, SearchIncomplete)
_UNUSABLE = (OrgGone, ScratchOrgExpired, SandboxNotFound, NotFound)


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """An assignment that requests an org of a pool, for a number of hours."""

    repository: str
    pool_tag: str
    assignment_id: str
    email: str = ""
    hours: int = DEFAULT_HOURS


def fetch(request: FetchRequest, *, by: Principal) -> tuple[PoolInstance, OrgSession]:
    """Assign the next available instance, and return it with a session. The same assignment gets the same org again.

    If the org no longer exists, its instance expires; if there is no session for another reason, the instance goes
    to the end of the queue. The next instance is then tried, unless the failure is temporary. Raises PoolEmpty,
    AssignedInOtherPool, and the error of the last instance.
    """
    audit.require_writable()
    for tries_left in reversed(range(_MAX_INSTANCES)):
        instance, is_new = _assign(request, by)
        try:
            return instance, instance_session(instance, by=by, audit_action=audit.Action.ACCESS_TOKEN)
        except OrgError as error:
            if is_new:
                _undo(instance, error, by)
            if not is_new or isinstance(error, _TEMPORARY) or not tries_left:
                raise
    raise AssertionError("unreachable")


def unassign(*, repository: str, assignment_id: str, return_to_pool: bool, by: Principal) -> PoolInstance:
    """End an assignment, and make its instance available again or expired. Return it. Raises AssignmentNotFound."""
    with transaction.atomic():
        rows = PoolInstance.objects.of_repository(repository).select_for_update(of=("self",))
        assigned = rows.filter(assignment_id=assignment_id, status__in=(Status.ASSIGNED, Status.EXPIRED))
        instance = assigned.order_by("status", "pk").first()
        if instance is None:
            raise AssignmentNotFound(repository, assignment_id)
        _release(instance, return_to_pool=return_to_pool, by=by)
    return instance


def end_assignment(instance: PoolInstance, *, return_to_pool: bool, by: Principal) -> bool:
    """End the assignment that `instance` was read with. Returns False if it has ended or another one holds it now."""
    with transaction.atomic():
        row = _held_as_read(instance)
        if row is not None:
            _release(row, return_to_pool=return_to_pool, by=by)
    return row is not None


def extend_assignment(instance: PoolInstance, *, hours: int, by: Principal) -> PoolInstance | None:
    """Extend the assignment that `instance` was read with, to at most MAX_HOURS from now.

    An expired assignment holds its org again. Returns the instance, or None if the assignment has ended or
    another one holds the instance, or if another instance was assigned in its place.
    """
    try:
        with transaction.atomic():
            row = _held_as_read(instance)
            if row is None:
                return None
            before, now = settings_of(row), timezone.now()
            wanted = max(row.expires_at or now, now) + timedelta(hours=hours)
            row.status, row.expires_at = Status.ASSIGNED, min(wanted, now + timedelta(hours=MAX_HOURS))
            row.save()
            record_event(audit.Action.POOL_EXTENDED, row, by, before=before, assignment=row.assignment_id)
    except IntegrityError:
        return None  # The job fetched another instance after this assignment had expired.
    return row


def _held_as_read(instance: PoolInstance) -> PoolInstance | None:
    """Lock and return an instance if it is still held by the assignment that it was read with."""
    rows = PoolInstance.objects.select_for_update(of=("self",)).exclude(assignment_id="")
    held = rows.filter(pk=instance.pk, assignment_id=instance.assignment_id)
    return held.filter(status__in=(Status.ASSIGNED, Status.EXPIRED)).first()


def _release(instance: PoolInstance, *, return_to_pool: bool, by: Principal) -> None:
    before, assignment = settings_of(instance), instance.assignment_id
    instance.release(Status.AVAILABLE if return_to_pool else Status.EXPIRED)
    instance.save()
    record_event(audit.Action.POOL_UNASSIGNED, instance, by, before=before, assignment=assignment)


def _assign(request: FetchRequest, by: Principal) -> tuple[PoolInstance, bool]:
    """Return the instance of an assignment, and whether it was assigned by this call."""
    for _ in range(_MAX_CONFLICTS):
        try:
            with transaction.atomic():
                PoolInstance.objects.expire_overdue()
                if current := _current(request):
                    return current, False
                return _assign_next(request, by), True
        except IntegrityError:
            continue  # Another call for the same assignment was first.
    raise error_for("UPSTREAM_BUSY")


def _current(request: FetchRequest) -> PoolInstance | None:
    """Return the instance that the assignment holds, and renew its `assigned_at`. Raises AssignedInOtherPool."""
    rows = PoolInstance.objects.of_repository(request.repository).filter(
        assignment_id=request.assignment_id, status=Status.ASSIGNED
    )
    instance = rows.select_related("parent").first()
    if instance is not None and instance.pool_tag != request.pool_tag:
        raise AssignedInOtherPool(request.assignment_id, instance.name, instance.pool_tag)
    if instance is not None:
        rows.filter(pk=instance.pk).update(assigned_at=timezone.now())
    return instance


def _assign_next(request: FetchRequest, by: Principal) -> PoolInstance:
    rows = PoolInstance.objects.of_repository(request.repository)
    available = rows.select_for_update(skip_locked=True, of=("self",)).filter(
        pool_tag=request.pool_tag, status=Status.AVAILABLE
    )
    instance = available.order_by(F("failed_at").asc(nulls_first=True), "created_at", "pk").first()
    if instance is None:
        raise PoolEmpty(request.repository, request.pool_tag)
    before = settings_of(instance)
    instance.assign(request.assignment_id, email=request.email, hours=request.hours)
    instance.save()
    record_event(audit.Action.POOL_FETCHED, instance, by, before=before, assignment=request.assignment_id)
    return instance


def _undo(instance: PoolInstance, error: OrgError, by: Principal) -> None:
    """Undo an assignment without a session, unless it has ended or was fetched again since.

    Each fetch renews `assigned_at`, so the two columns identify both the assignment and the fetch.
    """
    before = settings_of(instance)
    fetched = {"assignment_id": instance.assignment_id, "assigned_at": instance.assigned_at}
    instance.release(Status.EXPIRED if isinstance(error, _UNUSABLE) else Status.AVAILABLE)
    instance.failed_at = timezone.now()
    updated = PoolInstance.objects.filter(pk=instance.pk, status=Status.ASSIGNED, **fetched).update(
        status=instance.status,
        assignment_id="",
        assigned_to_email="",
        assigned_at=None,
        expires_at=None,
        failed_at=instance.failed_at,
    )
    if updated:
        assignment = str(fetched["assignment_id"])
        record_event(
            audit.Action.POOL_UNASSIGNED, instance, by, before=before, assignment=assignment, because=error.code
        )
