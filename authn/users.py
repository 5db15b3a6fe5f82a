"""Adds and changes users. The desk always keeps an active owner, and a new password ends every log-in."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from authn import audit, lockout
from authn.database.conflicts import retry_on_conflict
from authn.database.shown_values import Values, differences
from authn.errors import LastOwner
from authn.models import User
from authn.principals import Principal
from authn.roles import Role


def add_user(*, email: str, role: Role, password: str | None, by: Principal) -> User:
    """Store a user; with `password` None, the user sets one by a link before the first log-in.

    Raises ValidationError for a taken or malformed e-mail or a weak password.
    """
    if password is not None:
        validate_password(password, User(email=email))
    hashed = make_password(password)  # Before the transaction: hashing is slow.
    with transaction.atomic():
        user = User.objects.create_user_with_hash(email, hashed, role=role)
        audit.record(
            audit.Action.USER_ADDED,
            audit.Outcome.GRANTED,
            by=by,
            target=user.audit_target,
            changes=audit.changes({}, {"email": user.email, **_settings(user)}),
        )
    return user


def get_user(request: HttpRequest) -> User:
    """Return the logged-in user of a view with LoginRequiredMixin. Raises TypeError for an anonymous request."""
    if not isinstance(request.user, User):
        raise TypeError("get_user() requires an authenticated request.")
    return request.user


@retry_on_conflict
def update_user(
    user: User, *, by: Principal, role: Role | None = None, is_active: bool | None = None, shown: Values | None = None
) -> User:
    """Change a user's role, or activate or deactivate the user. None keeps a value.

    Deactivation permanently ends all log-ins and password links of the user. `shown` has the values that a form
    showed. Raises LastOwner, and ChangedMeanwhile if a value to be changed is no longer the shown one.
    """
    given = {"role": role, "is_active": is_active}
    wanted = {name: value for name, value in given.items() if value is not None}
    if not wanted:
        return user
    with transaction.atomic():
        user, other_owners = _lock_user_and_owners(user)
        changed = differences(user, wanted, shown)
        before = _settings(user)
        was_owner = user.is_active and user.is_owner
        for name, value in changed.items():
            setattr(user, name, value)
        if was_owner and not other_owners and not (user.is_active and user.is_owner):
            raise LastOwner
        if not user.is_active:
            user.access_epoch += 1
            user.end_logins()
        user.save(update_fields=[*changed, "access_epoch"])
        audit.record(
            audit.Action.USER_CHANGED,
            audit.Outcome.GRANTED,
            by=by,
            target=user.audit_target,
            changes=audit.changes(before, _settings(user)),
        )
    return user


def set_password(user: User, password: str, *, by: Principal, how: str) -> User:
    """Change a user's password and end every log-in and session of the user. `how` is recorded in the audit.

    Raises ValidationError for a weak password, LoginBusy.
    """
    return _lock_and_store(user, hash_password(user, password), by=by, how=how)


def hash_password(user: User, password: str) -> str:
    """Validate and hash a new password. Call it before the transaction, which would block other writers meanwhile.

    Raises ValidationError for a weak password, LoginBusy.
    """
    validate_password(password, user)
    return make_password(password)


@retry_on_conflict
def _lock_and_store(user: User, hashed: str, *, by: Principal, how: str) -> User:
    with transaction.atomic():
        return store_password(User.objects.select_for_update().get(pk=user.pk), hashed, by=by, how=how)


@retry_on_conflict
def unlock(user: User, *, by: Principal) -> None:
    """Reset the failed log-ins of a user, from every address."""
    with transaction.atomic():
        lockout.unlock(user.email)
        audit.record(audit.Action.USER_CHANGED, audit.Outcome.GRANTED, by=by, target=user.audit_target, lock="lifted")


@retry_on_conflict
def end_sessions(user: User, *, by: Principal) -> int:
    """End every log-in and session of a user. Returns the number of log-ins that were ended."""
    with transaction.atomic():
        ended = User.objects.select_for_update().get(pk=user.pk).end_logins()
        audit.record(
            audit.Action.USER_CHANGED, audit.Outcome.GRANTED, by=by, target=user.audit_target, ended_logins=ended
        )
    return ended


def store_password(user: User, hashed: str, *, by: Principal, how: str) -> User:
    """Store a hashed password and end every log-in. Call it in the transaction that has locked the row."""
    user.password = hashed
    user.save(update_fields=["password"])
    # Browser sessions belong to a log-in and end with it.
    user.end_logins()
    audit.record(audit.Action.USER_CHANGED, audit.Outcome.GRANTED, by=by, target=user.audit_target, password=how)
    return user


def _settings(user: User) -> dict[str, object]:
    """Return what the audit compares before and after a change."""
    return {"role": str(user.role), "active": user.is_active}


def _lock_user_and_owners(user: User) -> tuple[User, int]:
    """Lock a user and every active owner. Returns the user and the number of other active owners.

    One statement locks them all in the order of their ids: two owners who demote each other are serialized
    without a deadlock.
    """
    owners = Q(role=Role.OWNER, is_active=True)
    rows = User.objects.select_for_update().filter(owners | Q(pk=user.pk)).order_by("pk")
    locked = {row.pk: row for row in rows}
    return locked.pop(user.pk), len(locked)
