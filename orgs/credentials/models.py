"""Tables of the credential engine: credentials, hashes of their refresh tokens, and the desk's hash key."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from orgs.credentials.fields import DeferredEncryptedTextField
from orgs.credentials.ownership import CredentialOwner, accessors, owner_of


class Health(models.TextChoices):
    """Whether a credential works, as far as its refreshes have shown."""

    UNVERIFIED = "unverified", "Unverified"
    HEALTHY = "healthy", "Healthy"
    FAILING = "failing", "Failing"
    UNCERTAIN = "uncertain", "Uncertain"
    EXPIRED = "expired", "Expired"


class CredentialManager(models.Manager["Credential"]):
    """Loads credentials without their encrypted columns, which most callers do not need."""

    def get_queryset(self) -> "models.QuerySet[Credential]":
        """Return credentials with the encrypted columns deferred."""
        return super().get_queryset().defer("sealed_grant", "sealed_session")

    def with_owners(self) -> "models.QuerySet[Credential]":
        """Return credentials with their owners, in one query."""
        return self.get_queryset().select_related(*accessors())

    def with_secrets(self) -> "models.QuerySet[Credential]":
        """Return credentials with their encrypted columns and their owners, in one query."""
        return self.with_owners().defer(None)

    def orphaned(self) -> "models.QuerySet[Credential]":
        """Return credentials without an owner."""
        return self.get_queryset().filter(**{f"{link}__isnull": True for link in accessors()})


class Credential(models.Model):
    """The refresh token of one user of one org, and the newest session that it was exchanged for.

    - `sealed_grant`, `sealed_session`: envelopes (orgs/credentials/envelopes.py), bound to this row and its owner.
    - `generation`: the number of finished refresh attempts, failed ones included. A caller who waits for an
      attempt knows its end by a higher number, without comparing clocks.
    - `locked_until`: the refresh lock, by the database's clock.
    - `sent_at`, `sent_by`: when and by which node (orgs/credentials/spool.py) a refresh was sent whose response is
      not stored. They stay while that response may be lost.
    - `unanswered_since`: the generation since which it is unknown whether the stored refresh token is spent.
    - `budget_spent_until`: the login budget as a timestamp. Each log-in moves it forward; when it is too far
      ahead of the clock, no log-in is left.
    - `failures`, `failures_since`, `paused_until`: the circuit breaker.
    - `outcome`, `outcome_retry_after`, `outcome_detail`: the error code of the last attempt, empty after a success,
      its seconds, and what only that failure showed.
    - `unresolved_since`: when the host first did not resolve, None once an attempt has got past that.
    - `rotates`: whether Salesforce replaces the refresh token at each use; None before the first refresh.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sealed_grant: Any = DeferredEncryptedTextField(null=True, editable=False)  # noqa: DJ001  # NULL: none was created yet
    sealed_session: Any = DeferredEncryptedTextField(null=True, editable=False)  # noqa: DJ001  # NULL: none was issued yet
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
    outcome_detail = models.CharField(max_length=400, blank=True, default="", db_default="", editable=False)
    unresolved_since = models.DateTimeField(null=True, editable=False)

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
    """The keyed hash of a refresh token that a credential has or had.

    It identifies the credential however long the token has been spent. `outside` is True if a client has
    the token, because it submitted the token or the desk released it: such a row stays as long as its credential.
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
    """A random key that the first migration created, encrypted under FERNET_KEYS.

    Token hashes depend on it, so it never changes: a rotation of FERNET_KEYS only encrypts it again.
    """

    name = models.CharField(max_length=32, primary_key=True)
    sealed_key: Any = DeferredEncryptedTextField(editable=False)

    class Meta:
        app_label = "orgs"

    def __str__(self) -> str:
        return self.name
