"""Registered orgs and their metadata."""

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower
from django.utils import timezone

from orgs.credentials.models import Credential, DeskKey, KnownToken
from orgs.credentials.ownership import register_owner
from orgs.organization_kinds import Kind
from orgs.salesforce import MAX_INSTANCE_URL_LENGTH, MAX_TEXT_LENGTH, Organization, Session, host_of, sandbox_name

# Django finds the tables of an app in its `models`.
__all__ = ["Credential", "DeskKey", "KnownToken", "OrgMetadata", "SalesforceOrg", "SalesforceOrgQuerySet"]


class SalesforceOrgQuerySet(models.QuerySet["SalesforceOrg"]):
    """Finds registered orgs in the ways that the contract asks for."""

    def with_username(self, username: str) -> "SalesforceOrgQuerySet":
        """Keep the org of this username, case ignored."""
        return self.filter(username_key=Lower(Value(username.strip())))

    def with_sandbox_name(self, name: str) -> "SalesforceOrgQuerySet":
        """Keep the orgs whose sandbox has this name, case ignored."""
        return self.filter(sandbox_name=name.strip().lower())

    def of_type(self, wanted: str) -> "SalesforceOrgQuerySet":
        """Keep a kind (`Production`, `Sandbox`, `Scratch`) or an organization type, case ignored."""
        if wanted.lower() in Kind.values:
            return self.filter(kind=wanted.lower())
        return self.filter(organization_type__iexact=wanted)

    def with_metadata(self, pairs: list[tuple[str, list[str]]]) -> "SalesforceOrgQuerySet":
        """Keep the orgs that have, for each pair, the key with one of the JSON texts."""
        kept = self
        for key, texts in pairs:
            kept = kept.filter(pk__in=OrgMetadata.objects.filter(key=key, value__in=texts).values("org_id"))
        return kept

    def for_answers(self) -> "SalesforceOrgQuerySet":
        """Fetch what an answer shows, parent and health included, in one query and without secrets."""
        return self.select_related("parent", "credential").defer(
            "credential__sealed_grant", "credential__sealed_session"
        )


class SalesforceOrg(models.Model):
    """An org that an owner registered: public facts, freely listed. Its key is a Credential."""

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

    # What `take_facts` sets.
    FACTS = ("org_id", "instance_url", "kind", "organization_type", "instance_name", "sandbox_name")

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

    def store_facts(self, **facts: str) -> None:
        """Store what Salesforce says of the org, by column. No other column is written."""
        SalesforceOrg.objects.filter(pk=self.pk).update(**facts)

    def take_facts(self, session: Session, organization: Organization) -> None:
        """Set what Salesforce says of the org. Does not save."""
        self.org_id = session.org_id
        self.instance_url = session.instance_url
        self.kind = organization.kind
        self.organization_type = organization.organization_type
        self.instance_name = organization.instance_name
        self.sandbox_name = sandbox_name(host_of(session.instance_url)) if self.kind == Kind.SANDBOX else ""


register_owner(SalesforceOrg, accessor="org", parent_field="parent", blocks_deletion=True)


class OrgMetadata(models.Model):
    """One scalar of an org's metadata, as JSON text, so that both databases find it by index."""

    id = models.BigAutoField(primary_key=True)
    org = models.ForeignKey(SalesforceOrg, on_delete=models.CASCADE, related_name="metadata_rows")
    key = models.CharField(max_length=100)
    value = models.CharField(max_length=2100)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["org", "key"], name="one_value_for_each_key"),)
        indexes = (models.Index(fields=["key", "value"], name="metadata_key_value"),)

    def __str__(self) -> str:
        return self.key
