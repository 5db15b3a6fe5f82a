"""The rows of authn: people, their log-ins, the tokens of applications, and what was done."""

import hmac
import uuid
from typing import Any, ClassVar

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from authn.audit_actions import Action, Outcome
from authn.browser.models import BrowserSession
from authn.email_addresses import canonical_email
from authn.roles import Role
from authn.web.safe_text import validate_safe_text

# Django finds the tables of an app in its `models`.
__all__ = [
    "AddressTries",
    "ApplicationToken",
    "AuditEvent",
    "BrowserSession",
    "LoginAttempts",
    "LoginFamily",
    "ServiceStackLogin",
    "SweepRun",
    "TokenRefusals",
    "User",
    "UserManager",
]


class UserManager(BaseUserManager["User"]):
    """Makes and finds people by e-mail."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person with this e-mail, in any spelling of it. Raises User.DoesNotExist."""
        return self.get(email=canonical_email(username or ""))

    def create_user(self, email: str, password: str | None = None, *, role: Role = Role.MEMBER) -> "User":
        """Store a person. Without a password the person cannot log in until one is set."""
        return self.create_user_with_hash(email, make_password(password), role=role)

    def create_user_with_hash(self, email: str, hashed: str, *, role: Role) -> "User":
        """Store a person whose password is hashed already, for callers that open a transaction."""
        user = self.model(email=canonical_email(email), role=role, password=hashed)
        user.full_clean()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **_: Any) -> "User":
        """Store an owner. `manage.py createsuperuser` calls this."""
        return self.create_user(email, password, role=Role.OWNER)


class User(AbstractBaseUser):
    """A person who logs in by e-mail, as an owner or a member."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True, max_length=254)
    role = models.CharField(
        max_length=16, choices=[(Role.OWNER, "Owner"), (Role.MEMBER, "Member")], default=Role.MEMBER
    )
    is_active = models.BooleanField(default=True)
    # Incremented on deactivation; older links and sessions stay invalid after reactivation.
    access_epoch = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        ordering = ("email",)
        constraints = (
            models.CheckConstraint(condition=Q(role__in=[Role.OWNER, Role.MEMBER]), name="a_person_is_owner_or_member"),
        )

    def __str__(self) -> str:
        return self.email

    def end_logins(self) -> int:
        """End every log-in of the person; their tokens stop working at the next request. Returns how many."""
        return LoginFamily.objects.filter(user=self, revoked_at=None).update(revoked_at=timezone.now())

    def clean(self) -> None:
        """Refuse an e-mail that cannot be shown: Django takes control characters between quotes."""
        super().clean()
        try:
            validate_safe_text(self.email)
        except ValidationError as error:
            raise ValidationError({"email": error}) from error

    @property
    def is_owner(self) -> bool:
        """Tell whether this person owns the desk."""
        return self.role == Role.OWNER

    @property
    def is_staff(self) -> bool:
        """Let owners, and nobody else, into the console. Django's admin asks for this name."""
        return self.is_owner

    def has_perm(self, _permission: str, _obj: Any = None) -> bool:
        """Let active owners do everything in the console. Django's admin asks this."""
        return self.is_active and self.is_owner

    def has_module_perms(self, _app_label: str) -> bool:
        """Let active owners see every part of the console. Django's admin asks this."""
        return self.is_active and self.is_owner


class LoginFamily(models.Model):
    """One log-in of one person, and the line of tokens that came of it.

    A refresh token may be used once; `current_jti` names the one that may be used next. A spent
    one that comes back means that two hold it, so the whole family ends. Access tokens and browser
    sessions name their family too: when it ends, they end at the next request, on every worker.
    A log-in at a page has a session alone, so its `current_jti` is empty.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_families")
    current_jti = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "login families"

    def __str__(self) -> str:
        return f"log-in of {self.user_id} at {self.created_at:%Y-%m-%d %H:%M}"


class ServiceStackLogin(models.Model):
    """What the ServiceStack service keeps of one of its log-ins, beside the tokens of its family.

    The id of a session is a secret of its holder, so only its SHA-256 is kept; a log-in that lives
    in its tokens alone has none. `password_mark` is a keyed hash of the stored password: when the
    password changes, session and refresh token end.
    """

    family = models.OneToOneField(
        LoginFamily, on_delete=models.CASCADE, primary_key=True, related_name="servicestack_login"
    )
    password_mark = models.CharField(max_length=64)
    session_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)  # noqa: DJ001  # many may have none
    is_permanent = models.BooleanField(default=False)
    session_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "ServiceStack log-in"

    def __str__(self) -> str:
        return f"ServiceStack {self.family}"

    def is_good_for(self, user: User) -> bool:
        """Tell whether this log-in still stands: nobody ended it, switched the person off or changed the password."""
        unchanged = hmac.compare_digest(self.password_mark, user.get_session_auth_hash())
        return self.family.revoked_at is None and user.is_active and unchanged


class ApplicationToken(models.Model):
    """A key of a CI job. Only its SHA-256 is kept; `prefix` lets people tell tokens apart."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=16, editable=False)
    created_by_name = models.CharField(max_length=254, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEvent(models.Model):
    """One thing that was done or refused. Never holds a secret; rows are added, never changed.

    `fingerprint` is a keyed hash of the token that was handed out: it tells whether a token found
    elsewhere came from here, and gives no way back to the token.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), db_index=True)
    action = models.CharField(max_length=48, choices=Action.choices, db_index=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    code = models.CharField(max_length=48, blank=True)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    org_username = models.CharField(max_length=255, blank=True, db_index=True)
    fingerprint = models.CharField(max_length=16, blank=True)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.outcome} by {self.actor_name}"


class LoginAttempts(models.Model):
    """How many passwords were tried for one name from one block of addresses; "" is the row for all blocks.

    Nothing of a request is kept, and no name: a person may have typed the password there, so the row
    holds a keyed hash of it. A try counts as a failure from before it is judged; `undecided` says how
    many of `failures` are not judged yet. Times are the database's.
    """

    id = models.BigAutoField(primary_key=True)
    name_digest = models.CharField(max_length=64)
    address_block = models.CharField(max_length=64, blank=True)
    failures = models.PositiveIntegerField(default=0)
    undecided = models.PositiveIntegerField(default=0)
    last_try_at = models.DateTimeField(db_index=True)
    locked_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "login attempts"
        constraints = (
            models.UniqueConstraint(fields=["name_digest", "address_block"], name="one_count_for_a_name_and_block"),
        )

    def __str__(self) -> str:
        return f"{self.failures} failures from {self.address_block or 'everywhere'}"


class AddressTries(models.Model):
    """How many log-ins an address has tried, under whatever names, since `began_at`, by the database's clock."""

    id = models.BigAutoField(primary_key=True)
    address_block = models.CharField(max_length=64, unique=True)
    tries = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "address tries"

    def __str__(self) -> str:
        return f"{self.tries} log-ins from {self.address_block}"


class TokenRefusals(models.Model):
    """Refusals of the tokens of one holder, by action and code, that are in no audit row yet.

    One row for each holder and code, so that strangers cannot make it grow.
    """

    id = models.BigAutoField(primary_key=True)
    holder_kind = models.CharField(max_length=16)
    holder_id = models.CharField(max_length=64)
    action = models.CharField(max_length=48)
    code = models.CharField(max_length=48)
    unreported = models.PositiveIntegerField(default=0)
    reported_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name_plural = "token refusals"
        constraints = (
            models.UniqueConstraint(
                fields=["holder_kind", "holder_id", "action", "code"], name="one_count_for_a_holder_and_code"
            ),
        )

    def __str__(self) -> str:
        return f"{self.unreported} x {self.code} of {self.holder_kind} {self.holder_id}"


class SweepRun(models.Model):
    """The last run of one sweep, by the database's clock. `failure` says why it failed, "" if it did not."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=400, blank=True)

    def __str__(self) -> str:
        return self.name
