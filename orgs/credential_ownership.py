"""Gives a credential to an owner: links the row, binds the secrets to it, and deletes what is left unused."""

from typing import Protocol, cast

from django.db import models, transaction

from orgs.credentials.envelopes import Binding, Grant, decrypt_grant, decrypt_session, encrypt_grant, encrypt_session
from orgs.credentials.models import Credential, Health
from orgs.credentials.ownership import CredentialOwner, unlink_other_owners
from orgs.credentials.refresh_lock import unlocked


class OwnerRow(CredentialOwner, Protocol):
    """A stored credential owner: a registered org, or a row of an app above."""

    credential: Credential | None

    def save(self, *, update_fields: list[str]) -> None:
        """Save these columns."""


def link_credential(owner: OwnerRow, credential: Credential) -> None:
    """Make a credential the owner's, unlink it from every other row, and delete the one that it replaces.

    Call it on a saved row, in the transaction that locked both credentials. Saves the owner's `credential` only.
    """
    replaced_id = owner.credential_id if owner.credential_id != credential.pk else None
    unlink_other_owners(credential, cast("models.Model", owner))
    owner.credential = credential
    owner.save(update_fields=["credential"])
    bind(credential, owner)
    if replaced_id:
        # Deleted, not revoked: the same grant may still be in use elsewhere.
        Credential.objects.filter(pk=replaced_id).delete()


def bind(credential: Credential, owner: CredentialOwner) -> None:
    """Encrypt a credential's grant and session again, bound to the org id and username of its owner."""
    # Locked: a refresh that ends at this moment writes the next refresh token to the same column.
    unbound = Credential.objects.select_for_update(of=("self",)).get(pk=credential.pk)
    binding = Binding(owner.org_id or None, owner.username if owner.org_id else None)
    # The stored envelopes do not name this owner yet.
    grant = decrypt_grant(unbound, check_owner=False)
    session = decrypt_session(unbound, check_owner=False)
    columns = {"sealed_grant": encrypt_grant(unbound, Grant(grant.auth_url, binding))}
    if session is not None:
        columns["sealed_session"] = encrypt_session(unbound, session, binding)
    Credential.objects.filter(pk=credential.pk).update(**columns)


def delete_if_unused(credential: Credential) -> None:
    """Delete the credential of a failed registration, unless it must be kept.

    It is kept if it has an owner, if its refresh lock is held, or if its token rotated: the same auth URL then
    continues from the newest token. It is also kept if a response is missing, which another node may have.
    """
    with transaction.atomic():
        unused = Credential.objects.orphaned().select_for_update(of=("self",))
        unused = unused.filter(pk=credential.pk, ever_rotated=False, sent_at=None)
        # After a lost response it is unknown whether the token rotated.
        row = unused.exclude(health=Health.UNCERTAIN).filter(unlocked()).first()
        if row is not None:
            row.delete()
