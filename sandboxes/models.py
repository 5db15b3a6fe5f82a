"""Tables of sandboxes: on-demand grants, and pool instances."""

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Lower, Now
from django.utils import timezone

from authn.audit_actions import TargetKind
from authn.audit_rows.targets import Target
from authn.database.failures import write_if_possible
from orgs.credentials import Credential, register_owner
from orgs.models import SalesforceOrg
from orgs.salesforce import MAX_INSTANCE_URL_LENGTH
from sandboxes.names import read_repository

if TYPE_CHECKING:
    from datetime import datetime


class OnDemandGrant(models.Model):
    """The credential of a sandbox or scratch org that is not registered, kept for its next use.

    `name` is the sandbox name or the scratch org's username, in lower case. `username`, `org_id` and
    `instance_url` are empty until the first session.
    """

    id = models.BigAutoField(primary_key=True)
    parent = models.ForeignKey(SalesforceOrg, on_delete=models.CASCADE, related_name="on_demand_grants")
    name = models.CharField(max_length=255)
    username = models.CharField(max_length=255, blank=True)
    org_id = models.CharField(max_length=18, blank=True, db_index=True)
    instance_url = models.CharField(max_length=MAX_INSTANCE_URL_LENGTH, blank=True)
    credential = models.OneToOneField(
        Credential, null=True, on_delete=models.PROTECT, related_name="on_demand_grant", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["parent", "name"], name="one_grant_for_each_name"),)

    def __str__(self) -> str:
        return self.username or self.name

    @property
    def audit_target(self) -> Target:
        """Return the org as the target of an audited action. It has no page: it is not registered."""
        return Target(TargetKind.ORG, "", str(self))

    def update_details(self, **details: str) -> None:
        """Store these columns, as Salesforce returned them. No other column is written."""
        OnDemandGrant.objects.filter(pk=self.pk).update(**details)


register_owner(OnDemandGrant, accessor="on_demand_grant", parent_field="parent", blocks_deletion=False)


class PoolQuerySet(models.QuerySet["PoolInstance"]):
    """Finds pool instances, and expires overdue assignments."""

    def of_repository(self, repository: str) -> "PoolQuerySet":
        """Keep the instances of a repository, as forges compare them: without case, `.git` and `%20`."""
        with suppress(ValueError):
            repository = read_repository(repository)
        return self.alias(repository_key=Lower("repository")).filter(repository_key=Lower(Value(repository)))

    def expire_overdue(self) -> int:
        """Expire the assigned instances whose `expires_at` has passed. Returns their number."""
        return self._overdue().update(status=PoolInstance.Status.EXPIRED)

    def expire_overdue_if_possible(self) -> None:
        """Expire overdue instances before a read. A database that refuses writes leaves them as they are."""
        if self._overdue().exists():
            write_if_possible(self.expire_overdue)

    def _overdue(self) -> "PoolQuerySet":
        return self.filter(status=PoolInstance.Status.ASSIGNED, expires_at__lte=Now())


class PoolInstance(models.Model):
    """An org of a pool, which is a repository and a tag. At most one assignment holds it at a time."""

    class Type(models.TextChoices):
        """The kind of org. Values are those of the API contract."""

        SANDBOX = "SANDBOX", "Sandbox"
        SCRATCH_ORG = "SCRATCH_ORG", "Scratch org"

    class Status(models.TextChoices):
        """The state of an instance. Values are those of the API contract."""

        AVAILABLE = "AVAILABLE", "Available"
        ASSIGNED = "ASSIGNED", "Assigned"
        PROVISIONING = "PROVISIONING", "Provisioning"
        EXPIRED = "EXPIRED", "Expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    repository = models.CharField(max_length=255)
    pool_tag = models.CharField(max_length=100)
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=16, choices=Type.choices)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.AVAILABLE)
    username = models.CharField(max_length=255, blank=True)
    instance_url = models.CharField(max_length=MAX_INSTANCE_URL_LENGTH, blank=True)
    org_id = models.CharField(max_length=18, blank=True, db_index=True)
    parent = models.ForeignKey(
        SalesforceOrg, null=True, blank=True, on_delete=models.PROTECT, related_name="pool_instances"
    )
    credential = models.OneToOneField(
        Credential, null=True, blank=True, on_delete=models.PROTECT, related_name="pool_instance", editable=False
    )
    assignment_id = models.CharField(max_length=255, blank=True)
    assigned_to_email = models.CharField(max_length=254, blank=True)
    assigned_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, editable=False)  # failed instances are assigned last
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Not a column: whether its parent, asked after this object was added, listed no sandbox of this name.
    is_missing = False

    objects = PoolQuerySet.as_manager()

    class Meta:
        ordering = ("repository", "pool_tag", "name")
        constraints = (
            models.UniqueConstraint(Lower("repository"), Lower("name"), name="one_instance_for_each_name"),
            models.UniqueConstraint(Lower("username"), condition=~Q(username=""), name="one_pool_for_each_org"),
            models.UniqueConstraint(
                "parent",
                Lower("name"),
                condition=Q(type="SANDBOX", parent__isnull=False),
                name="one_pool_for_each_sandbox",
            ),
            models.UniqueConstraint(
                Lower("repository"),
                "assignment_id",
                condition=Q(status="ASSIGNED"),
                name="one_org_for_each_assignment",
            ),
            models.CheckConstraint(
                condition=~Q(status="ASSIGNED") | ~Q(assignment_id=""), name="assigned_means_to_somebody"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} of {self.repository}"

    @property
    def audit_target(self) -> Target:
        """Return the instance as the target of an audited action."""
        return Target(TargetKind.POOL_INSTANCE, str(self.pk), str(self))

    def update_details(self, **details: str) -> None:
        """Store these columns, as Salesforce returned them. No other column is written."""
        PoolInstance.objects.filter(pk=self.pk).update(**details)

    def assign(self, assignment_id: str, *, email: str, hours: int) -> None:
        """Assign it for a number of hours. Does not save."""
        now: datetime = timezone.now()
        self.status, self.assignment_id, self.assigned_to_email = self.Status.ASSIGNED, assignment_id, email
        self.assigned_at, self.expires_at = now, now + timedelta(hours=hours)

    def release(self, status: "PoolInstance.Status") -> None:
        """End its assignment and set its status. Does not save."""
        self.status, self.assignment_id, self.assigned_to_email = status, "", ""
        self.assigned_at = self.expires_at = None


register_owner(PoolInstance, accessor="pool_instance", parent_field="parent", blocks_deletion=True)
