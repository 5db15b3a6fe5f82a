"""Tables of the credential engine: credentials, the tokens that stand for them, the hash key of this desk."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from orgs.credentials.fields import DeferredEncryptedTextField
from orgs.credentials.ownership import CredentialOwner, accessors, owner_of


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
        return self.get_queryset().defer(None).select_related(*accessors())

    def orphaned(self) -> "models.QuerySet[Credential]":
        """Return credentials that nothing links to."""
        return self.get_queryset().filter(**{f"{link}__isnull": True for link in accessors()})


class Credential(models.Model):
    """The key to one user of one org: a refresh token, and the newest access token it gave.

    What may be read freely stands in plain columns. The two sealed columns are envelopes
    (orgs/credentials/envelopes.py) that name this row and its owner, so that they are worthless elsewhere.
    `generation` counts the attempts to refresh, successes and failures alike: whoever waited for
    one knows its outcome by a higher number, and no clocks are compared. `sent_at` and `sent_by`
    (a node of orgs/credentials/spool.py) stay while an answer may be lost, and `unanswered_since` is the generation
    since which no attempt has told whether the token is spent. `budget_spent_until` is the login
    budget as a moment: each log-in moves it on, and too far ahead of now means none is left.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sealed_grant: Any = DeferredEncryptedTextField(null=True, editable=False)  # noqa: DJ001  # NULL: none was made yet
    sealed_session: Any = DeferredEncryptedTextField(null=True, editable=False)  # noqa: DJ001  # NULL: there is none yet
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    generation = models.PositiveBigIntegerField(default=0, editable=False)
    locked_until = models.DateTimeField(null=True, editable=False)
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
        app_label = "orgs"
        base_manager_name = "objects"

    def __str__(self) -> str:
        return f"credential {self.id}"

    @property
    def owner(self) -> CredentialOwner | None:
        """Return the row that owns this credential, None for an orphan."""
        return owner_of(self)


class KnownToken(models.Model):
    """A refresh token that a credential has, had, or gave away, by its keyed hash.

    A known token stands for its credential, however long it is spent. `outside` tells that the
    token was seen outside the desk: such a row stays as long as its credential.
    """

    id = models.BigAutoField(primary_key=True)
    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="known_tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    outside = models.BooleanField(editable=False)

    class Meta:
        app_label = "orgs"

    def __str__(self) -> str:
        return f"token of {self.credential_id}"


class DeskKey(models.Model):
    """A random key of this desk, made at the first migration, encrypted under FERNET_KEYS.

    It hashes tokens, so it never changes: a rotation of FERNET_KEYS re-wraps it.
    """

    name = models.CharField(max_length=32, primary_key=True)
    sealed_key: Any = DeferredEncryptedTextField(editable=False)

    class Meta:
        app_label = "orgs"

    def __str__(self) -> str:
        return self.name
