"""One-time links by which a user sets a first password, or a new one.

A link contains a keyed hash of the user's password, last log-in, access epoch and the link's creation time.
It becomes invalid when the password changes, when the user logs in or is deactivated, and after
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
    """Django's generator with the access epoch in its hash: a deactivation permanently invalidates earlier links."""

    # Not the name of this module, and never to be changed: links that were already sent would become invalid.
    key_salt = "authn.password_links"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}:{user.access_epoch}"


_tokens = _LinkTokens()


def password_link(user: User, *, by: Principal) -> str:
    """Return the URL at which a user can set a password once. It is a secret; its creation is audited."""
    with transaction.atomic():
        audit.record(audit.Action.USER_CHANGED, audit.Outcome.GRANTED, by=by, target=user.audit_target, link="made")
        token = _tokens.make_token(user)
    # From PUBLIC_URL: the caller controls the Host header.
    return settings.PUBLIC_URL + reverse("set-password", args=[user.pk, token])


def user_of_link(user_id: uuid.UUID, token: str) -> User:
    """Return the active user of a link. Raises LinkRefused for a used, expired or forged one."""
    return _check(User.objects.filter(pk=user_id, is_active=True).first(), token)


@retry_on_conflict
def redeem(user_id: uuid.UUID, token: str, password: str, *, request: HttpRequest) -> User:
    """Set a password by a link, which becomes invalid, and unlock the name.

    Raises LinkRefused, LoginBusy, and ValidationError for a weak password.
    """
    validate_password(password, user_of_link(user_id, token))
    hashed = make_password(password)  # Before the transaction: hashing is slow.
    with transaction.atomic():
        # Locked: of two concurrent requests with the same link, one succeeds.
        user = _check(User.objects.select_for_update().filter(pk=user_id, is_active=True).first(), token)
        user = store_password(user, hashed, by=principal_for(user, request), how="set by link")
        lockout.unlock(user.email)
    return user


def _check(user: User | None, token: str) -> User:
    if user is None or not _tokens.check_token(user, token):
        raise LinkRefused
    return user
