"""The tables of authn: users, log-ins, application tokens, and the counters behind lockout and sweeps."""

import hmac
import uuid
from typing import ClassVar

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from authn.audit_actions import TargetKind
from authn.audit_rows.models import AuditEvent
from authn.audit_rows.targets import Target
from authn.browser.models import BrowserSession
from authn.roles import Role
from authn.web.email_addresses import canonical_email
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
    """Creates and finds users by e-mail."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this e-mail, in any spelling. Raises User.DoesNotExist."""
        return self.get(email=canonical_email(username or ""))

    def create_user(self, email: str, password: str | None = None, *, role: Role = Role.MEMBER) -> "User":
        """Store a user. Without a password, the user cannot log in until one is set."""
        return self.create_user_with_hash(email, make_password(password), role=role)

    def create_user_with_hash(self, email: str, hashed: str, *, role: Role) -> "User":
        """Store a user with a hashed password, for callers that must not hash inside their transaction."""
        user = self.model(email=canonical_email(email), role=role, password=hashed)
        user.full_clean()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **_: object) -> "User":
        """Store an owner. Called by `manage.py createsuperuser`."""
        return self.create_user(email, password, role=Role.OWNER)


class User(AbstractBaseUser):
    """A user, who logs in by e-mail and is an owner or a member.

    `authn.users` changes users: it locks the rows, ends log-ins and writes the audit.
    """

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
        """Revoke every log-in of the user; tokens and sessions fail at the next request. Returns how many."""
        return LoginFamily.objects.filter(user=self, revoked_at=None).update(revoked_at=timezone.now())

    def clean(self) -> None:
        """Refuse an e-mail with control characters, which Django allows between quotes."""
        super().clean()
        try:
            validate_safe_text(self.email)
        except ValidationError as error:
            raise ValidationError({"email": error}) from error

    @property
    def audit_target(self) -> Target:
        """Return the user as the target of an audited action."""
        return Target(TargetKind.PERSON, str(self.pk), self.email)

    @property
    def is_owner(self) -> bool:
        """Return True if the user is an owner."""
        return self.role == Role.OWNER

    @property
    def is_staff(self) -> bool:
        """Return True for owners, who may use the console. Django's admin reads this attribute."""
        return self.is_owner

    def has_perm(self, _permission: str, _obj: object = None) -> bool:
        """Return True for active owners, who have every permission in Django's admin."""
        return self.is_active and self.is_owner

    def has_module_perms(self, _app_label: str) -> bool:
        """Return True for active owners, who see every app in Django's admin."""
        return self.is_active and self.is_owner


class LoginFamily(models.Model):
    """One log-in of a user, and every token issued for it.

    A refresh token is valid once; `current_jti` identifies the one that is valid now. If a used one is sent
    again, two clients hold it, and the whole family is revoked. Access tokens and browser sessions name
    their family too: when it is revoked, they fail at the next request, on every worker. A log-in on a page
    has a session and no tokens, and an empty `current_jti`.
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
    """State of a ServiceStack log-in beside the tokens of its family.

    A session id is a secret of its client, so only its SHA-256 is stored; a log-in without a session has an
    empty digest. `password_mark` is a keyed hash of the stored password: when the password changes, session
    and refresh token end.
    """

    family = models.OneToOneField(
        LoginFamily, on_delete=models.CASCADE, primary_key=True, related_name="servicestack_login"
    )
    password_mark = models.CharField(max_length=64)
    session_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)  # noqa: DJ001  # NULL is not unique
    is_permanent = models.BooleanField(default=False)
    session_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "ServiceStack log-in"

    def __str__(self) -> str:
        return f"ServiceStack {self.family}"

    def is_good_for(self, user: User) -> bool:
        """Return True unless the log-in was revoked, the user was deactivated or the password was changed."""
        unchanged = hmac.compare_digest(self.password_mark, user.get_session_auth_hash())
        return self.family.revoked_at is None and user.is_active and unchanged


class ApplicationToken(models.Model):
    """A bearer token of a CI job. Only its SHA-256 is stored; `prefix` identifies it on pages."""

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

    @property
    def audit_target(self) -> Target:
        """Return the token as the target of an audited action."""
        return Target(TargetKind.TOKEN, str(self.pk), self.name)


class LoginAttempts(models.Model):
    """Count of failed log-ins for one name from one block of addresses; block "" counts all of them.

    The name is stored as a keyed hash, since users type passwords into that field too. An attempt counts as
    a failure before its password is checked; `undecided` is the number of `failures` not checked yet. Times
    are the database's.
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
    """Count of log-in attempts from one block of addresses, for any name, since `began_at` by the database's clock."""

    id = models.BigAutoField(primary_key=True)
    address_block = models.CharField(max_length=64, unique=True)
    tries = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "address tries"

    def __str__(self) -> str:
        return f"{self.tries} log-ins from {self.address_block}"


class TokenRefusals(models.Model):
    """Count of refused requests with the tokens of one holder, by action and code, not yet in the audit.

    One row per holder, action and code, which bounds the table whatever is sent.
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
    """The last run of one sweep, by the database's clock. `failure` is its reason, "" after a success."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=400, blank=True)

    def __str__(self) -> str:
        return self.name
