"""One-time links by which a person sets a password: for a first one, and for one that was forgotten.

A link is a keyed hash over the person's password, last log-in, access epoch and the moment it was
made: it ends when a password is set, when the person logs in or is switched off, or after
PASSWORD_RESET_TIMEOUT. Nothing is stored.
"""

import uuid

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from authn import audit, lockout
from authn.database.conflicts import retry_on_conflict
from authn.errors import LinkRefused
from authn.models import User
from authn.principals import Principal, principal_for
from authn.users import store_password


class _LinkTokens(PasswordResetTokenGenerator):
    """Django's generator, with the access epoch in its hash: a link from before a switch-off stays dead."""

    key_salt = "authn.pages.password_links"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}:{user.access_epoch}"


_tokens = _LinkTokens()


def password_link(user: User, *, by: Principal) -> str:
    """Return the address at which a person may set a password once. It is a secret, and audited."""
    with transaction.atomic():
        audit.record(audit.Action.USER_CHANGED, audit.Outcome.GRANTED, by=by, email=user.email, link="made")
        token = _tokens.make_token(user)
    # By our own name: a Host header is the caller's word.
    return settings.PUBLIC_URL + reverse("set-password", args=[user.pk, token])


def user_of_link(user_id: uuid.UUID, token: str) -> User:
    """Return the active person whom a link is for. Raises LinkRefused for a spent, old or made-up one."""
    return _check(User.objects.filter(pk=user_id, is_active=True).first(), token)


@retry_on_conflict
def redeem(user_id: uuid.UUID, token: str, password: str, *, request: HttpRequest) -> User:
    """Set a password by a link, which ends it, and lift a lock from the name.

    Raises LinkRefused, LoginBusy, and ValidationError for a weak password.
    """
    validate_password(password, user_of_link(user_id, token))
    hashed = make_password(password)  # Before the transaction: it takes its time.
    with transaction.atomic():
        # Locked: of two who send the same link at once, one sets the password.
        user = _check(User.objects.select_for_update().filter(pk=user_id, is_active=True).first(), token)
        user = store_password(user, hashed, by=principal_for(user, request), how="set by link")
        lockout.unlock(user.email)
    return user


def _check(user: User | None, token: str) -> User:
    if user is None or not _tokens.check_token(user, token):
        raise LinkRefused
    return user
