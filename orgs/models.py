"""The rows of orgs: which orgs we hold keys for, and the keys, encrypted and bound to their row."""

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower
from django.utils import timezone

from orgs.organization_kinds import Kind
from orgs.salesforce import MAX_INSTANCE_URL_LENGTH, MAX_TEXT_LENGTH, Organization, Session, host_of, sandbox_name
from orgs.sealed_column import SealedTextField


class Health(models.TextChoices):
    """What is known of a credential."""

    UNVERIFIED = "unverified", "Unverified"
    HEALTHY = "healthy", "Healthy"
    FAILING = "failing", "Failing"
    UNCERTAIN = "uncertain", "Uncertain"
    EXPIRED = "expired", "Expired"


class CredentialManager(models.Manager["Credential"]):
    """Finds credentials without their secrets: what is not opened need not be carried about."""

    def get_queryset(self) -> "models.QuerySet[Credential]":
        """Return credentials whose sealed columns are left in the database."""
        return super().get_queryset().defer("sealed_grant", "sealed_session")

    def with_secrets(self) -> "models.QuerySet[Credential]":
        """Return credentials with their secrets, sealed, and owners, for whoever opens many at once."""
        return self.get_queryset().defer(None).select_related(*_owner_links())

    def ownerless(self) -> "models.QuerySet[Credential]":
        """Return credentials that nothing links to."""
        return self.get_queryset().filter(**{f"{link}__isnull": True for link in _owner_links()})


class Credential(models.Model):
    """The key to one user of one org: a refresh token, and the newest access token it gave.

    What may be read freely stands in plain columns. The two sealed columns are envelopes
    (orgs/envelopes.py) that name this row and its owner, so that they are worthless elsewhere.
    `generation` counts the attempts to refresh, successes and failures alike: whoever waited for
    one knows its outcome by a higher number, and no clocks are compared. `sent_at` and `sent_by`
    (a node of orgs/spool.py) stay while an answer may be lost, and `unanswered_since` is the generation
    since which no attempt has told whether the token is spent. `budget_spent_until` is the login
    budget as a moment: each log-in moves it on, and too far ahead of now means none is left.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sealed_grant: Any = SealedTextField(null=True, editable=False)  # noqa: DJ001  # NULL: none was made yet
    sealed_session: Any = SealedTextField(null=True, editable=False)  # noqa: DJ001  # NULL: there is none yet
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    generation = models.PositiveBigIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    sent_by = models.UUIDField(null=True, editable=False)
    unanswered_since = models.PositiveBigIntegerField(null=True, editable=False)
    budget_spent_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    failures_since = models.DateTimeField(null=True, editable=False)
    paused_until = models.DateTimeField(null=True, editable=False)
    outcome = models.CharField(max_length=48, blank=True, editable=False)
    outcome_retry_after = models.PositiveIntegerField(null=True, editable=False)

    rotates = models.BooleanField(null=True, editable=False)
    ever_rotated = models.BooleanField(default=False, editable=False)
    health = models.CharField(max_length=16, choices=Health.choices, default=Health.UNVERIFIED, editable=False)
    reason = models.CharField(max_length=48, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, editable=False)
    last_checked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = CredentialManager()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"credential {self.id}"

    @property
    def owner(self) -> Any:
        """Return the row that holds the link to this credential, or None.

        Whoever owns a credential links to it by a one-to-one field and has `org_id` and
        `username`; apps above this one add owners of their own.
        """
        return next((owner for link in _owner_links() if (owner := getattr(self, link, None))), None)


def _owner_links() -> list[str]:
    """Return the names under which owners are found from a credential; apps above add theirs."""
    return [relation.name for relation in Credential._meta.related_objects if relation.one_to_one]


def unlink_other_owners(credential: Credential, owner: models.Model) -> None:
    """Take a credential from whoever has it but `owner`. Call it in the transaction that links it."""
    for relation in Credential._meta.related_objects:
        if relation.one_to_one:
            holders = relation.related_model._default_manager.filter(credential=credential)
            if isinstance(owner, relation.related_model):
                holders = holders.exclude(pk=owner.pk)
            holders.update(credential=None)


class KnownToken(models.Model):
    """A refresh token that a credential has, had, or gave away, by its keyed hash.

    A known token stands for its credential, however long it is spent. `outside` tells that the
    token was seen outside the desk: such a row stays as long as its credential.
    """

    id = models.BigAutoField(primary_key=True)
    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="known_tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    outside = models.BooleanField(editable=False)

    def __str__(self) -> str:
        return f"token of {self.credential_id}"


class DeskKey(models.Model):
    """A random key of this desk, made at the first migration, encrypted under FERNET_KEYS.

    It hashes tokens, so it never changes: a rotation of FERNET_KEYS re-wraps it.
    """

    name = models.CharField(max_length=32, primary_key=True)
    sealed_key: Any = SealedTextField(editable=False)

    def __str__(self) -> str:
        return self.name


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

    def take_facts(self, session: Session, organization: Organization) -> None:
        """Set what Salesforce says of the org. Does not save."""
        self.org_id = session.org_id
        self.instance_url = session.instance_url
        self.kind = organization.kind
        self.organization_type = organization.organization_type
        self.instance_name = organization.instance_name
        self.sandbox_name = sandbox_name(host_of(session.instance_url)) if self.kind == Kind.SANDBOX else ""


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
