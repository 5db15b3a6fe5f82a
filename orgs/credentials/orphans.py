"""Deletes credentials without an owner, which failed registrations leave behind."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from authn import audit
from authn.principals import system
from orgs.credentials import refresh_lock
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.errors import CredentialTampered, SessionError
from orgs.credentials.failures import failure_of
from orgs.credentials.models import Credential
from orgs.salesforce import SalesforceError

# Until then the same auth URL can be registered again and continues with its rotated token.
RETENTION = timedelta(hours=24)
# The rest follows in the next sweeps, the oldest first.
MAX_PER_SWEEP = 500
# How long a revocation is tried again while Salesforce cannot be reached.
REVOKE_ATTEMPTS_FOR = timedelta(days=7)


def delete_orphans() -> int:
    """Delete credentials that were created and last refreshed 24 hours ago and have no owner. Returns how many.

    A rotated refresh token is revoked first; while Salesforce cannot be reached, its credential is kept for up
    to a week. A token that never rotated is not revoked: it is the submitted one, and may be in use elsewhere.
    """
    return sum(_delete_idle(credential) for credential in _idle_orphans())


def delete_orphan(credential_id: uuid.UUID) -> None:
    """Delete one credential at once, if it has no owner and no refresh is in progress."""
    for credential in Credential.objects.orphaned().filter(pk=credential_id):
        _delete_idle(credential)


def _delete_idle(credential: Credential) -> int:
    audit.require_writable()
    with refresh_lock.hold_locks() as locks:
        return _delete_locked(credential) if locks.acquire(credential) else 0


def _delete_locked(credential: Credential) -> int:
    given_up = Credential.objects.filter(pk=credential.pk, created_at__lt=Now() - REVOKE_ATTEMPTS_FOR).exists()
    if not credential.ever_rotated or _revoke(credential) or given_up:
        return _delete(credential)
    return 0


def _idle_orphans() -> QuerySet[Credential]:
    before = Now() - RETENTION
    rows = Credential.objects.orphaned()
    idle = rows.filter(Q(last_checked_at=None) | Q(last_checked_at__lt=before), created_at__lt=before)
    return idle.order_by("created_at")[:MAX_PER_SWEEP]


def _revoke(credential: Credential) -> bool:
    """Revoke the stored refresh token. Returns False if the revocation should be tried again later."""
    by = system("sweep")
    row = Credential.objects.get(pk=credential.pk)
    if row.sealed_grant is None:
        return True  # No grant was created, or Salesforce refused the last one.
    try:
        url = decrypt_grant(row).auth_url
        with salesforce_slot(credential.pk) as salesforce:
            salesforce.revoke(url.host, url.refresh_token)
    except (CredentialTampered, SessionError) as error:
        audit.record(audit.Action.REVOKED, audit.Outcome.FAILED, by=by, target=None, code=error.code)
        return isinstance(error, CredentialTampered)
    except SalesforceError as error:
        audit.record(audit.Action.REVOKED, audit.Outcome.FAILED, by=by, target=None, code=failure_of(error).code)
        return False
    audit.record(audit.Action.REVOKED, audit.Outcome.GRANTED, by=by, target=None)
    return True


def _delete(credential: Credential) -> int:
    """Delete the row unless a registration has linked it meanwhile. Returns how many rows were deleted."""
    with transaction.atomic():
        rows = Credential.objects.orphaned().select_for_update(of=("self",))
        held = rows.filter(pk=credential.pk, generation=credential.generation, locked_until=credential.locked_until)
        row = held.first()
        if row is None:
            return 0
        row.delete()
        audit.record(audit.Action.CREDENTIAL_REMOVED, audit.Outcome.GRANTED, by=system("sweep"), target=None)
    return 1
