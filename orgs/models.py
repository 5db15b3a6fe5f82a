"""Registered orgs and their metadata."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower
from django.utils import timezone

from authn.audit_actions import TargetKind
from authn.audit_rows.targets import Target
from orgs.credentials.models import Credential, DeskKey, KnownToken
from orgs.credentials.ownership import register_owner
from orgs.salesforce import MAX_INSTANCE_URL_LENGTH, MAX_TEXT_LENGTH, Organization, Session, host_of, sandbox_name

# Django finds the tables of an app in its `models`.
__all__ = ["Credential", "DeskKey", "KnownToken", "OrgMetadata", "SalesforceOrg", "SalesforceOrgQuerySet"]


class Kind(models.TextChoices):
    """A production org (Developer Edition included), a sandbox, or a scratch org."""

    PRODUCTION = "production", "Production"
    SANDBOX = "sandbox", "Sandbox"
    SCRATCH = "scratch", "Scratch"


class SalesforceOrgQuerySet(models.QuerySet["SalesforceOrg"]):
    """Finds registered orgs as the API filters them."""

    def with_username(self, username: str) -> "SalesforceOrgQuerySet":
        """Keep the org with this username, case-insensitively."""
        return self.filter(username_key=Lower(Value(username.strip())))

    def with_sandbox_name(self, name: str) -> "SalesforceOrgQuerySet":
        """Keep the sandboxes with this name, case-insensitively."""
        return self.filter(sandbox_name=name.strip().lower())

    def of_type(self, wanted: str) -> "SalesforceOrgQuerySet":
        """Keep a kind (`Production`, `Sandbox`, `Scratch`) or an organization type, case-insensitively."""
        if wanted.lower() in Kind.values:
            return self.filter(kind=wanted.lower())
        return self.filter(organization_type__iexact=wanted)

    def with_metadata(self, pairs: list[tuple[str, list[str]]]) -> "SalesforceOrgQuerySet":
        """Keep the orgs whose metadata has, for each pair, one of the JSON texts under the key."""
        kept = self
        for key, texts in pairs:
            kept = kept.filter(pk__in=OrgMetadata.objects.filter(key=key, value__in=texts).values("org_id"))
        return kept

    def with_related(self) -> "SalesforceOrgQuerySet":
        """Fetch parent and credential in the same query, without the credential's secrets."""
        return self.select_related("parent", "credential").defer(
            "credential__sealed_grant", "credential__sealed_session"
        )


class SalesforceOrg(models.Model):
    """An org that an owner registered. Its columns hold no secret; those are in its Credential."""

    id = models.BigAutoField(primary_key=True)
    username = models.CharField(max_length=255)
    username_key = models.GeneratedField(
        expression=Lower("username"),
        output_field=models.CharField(max_length=255),
        db_persist=True,
        unique=True,
    )
    instance_url = models.CharField(max_length=MAX_INSTANCE_URL_LENGTH)
    org_id = models.CharField(max_length=18, blank=True, db_index=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.PRODUCTION)
    organization_type = models.CharField(max_length=MAX_TEXT_LENGTH, blank=True)
    instance_name = models.CharField(max_length=MAX_TEXT_LENGTH, blank=True)
    sandbox_name = models.CharField(max_length=80, blank=True, db_index=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    is_jit_registration = models.BooleanField(default=False)
    is_dev_hub = models.BooleanField("DevHub", default=False)
    is_default = models.BooleanField("default DevHub", default=False)
    member_frontdoor = models.BooleanField("members may open it", default=False)
    metadata = models.JSONField(default=dict, blank=True)
    credential = models.OneToOneField(
        Credential, null=True, on_delete=models.PROTECT, related_name="org", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # Not a column: whether the last change of this object took the default from it, together with the DevHub flag.
    lost_default = False

    # The columns that `set_details` sets.
    DETAILS = ("org_id", "instance_url", "kind", "organization_type", "instance_name", "sandbox_name")

    objects = SalesforceOrgQuerySet.as_manager()

    class Meta:
        verbose_name = "Salesforce org"
        ordering = ("username",)
        constraints = (
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_dev_hub"),
            models.CheckConstraint(condition=Q(is_default=False) | Q(is_dev_hub=True), name="the_default_is_a_dev_hub"),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")), name="no_org_is_its_own_parent"
            ),
        )

    def __str__(self) -> str:
        return self.username

    @property
    def audit_target(self) -> Target:
        """Return the org as the target of an audited action."""
        return Target(TargetKind.ORG, str(self.pk or ""), self.username)

    def update_details(self, **details: str) -> None:
        """Store these columns, as Salesforce returned them. No other column is written."""
        SalesforceOrg.objects.filter(pk=self.pk).update(**details)

    def set_details(self, session: Session, organization: Organization) -> None:
        """Set the columns of DETAILS as Salesforce returned them. Does not save."""
        self.org_id = session.org_id
        self.instance_url = session.instance_url
        self.kind = organization.kind
        self.organization_type = organization.organization_type
        self.instance_name = organization.instance_name
        self.sandbox_name = sandbox_name(host_of(session.instance_url)) if self.kind == Kind.SANDBOX else ""


register_owner(SalesforceOrg, accessor="org", parent_field="parent", blocks_deletion=True)


class OrgMetadata(models.Model):
    """One scalar of an org's metadata, as JSON text, indexed on SQLite and PostgreSQL alike."""

    id = models.BigAutoField(primary_key=True)
    org = models.ForeignKey(SalesforceOrg, on_delete=models.CASCADE, related_name="metadata_rows")
    key = models.CharField(max_length=100)
    value = models.CharField(max_length=2100)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["org", "key"], name="one_value_for_each_key"),)
        indexes = (models.Index(fields=["key", "value"], name="metadata_key_value"),)

    def __str__(self) -> str:
        return self.key
