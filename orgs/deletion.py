"""Deletes an org with its credential, and on request revokes the refresh token at Salesforce."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from authn import audit
from authn.principals import Principal
from orgs.credentials import refresh_lock
from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.errors import SessionError
from orgs.credentials.failures import error_for, error_of
from orgs.credentials.models import Credential, Health
from orgs.credentials.ownership import CredentialOwner, owner_types, reload
from orgs.credentials.refresh_lock import HeldLocks
from orgs.credentials.single_flight import wait_for_attempt
from orgs.errors import HasChildren, OrgNotFound
from orgs.locks import lock_credential, org_write_transaction
from orgs.models import SalesforceOrg
from orgs.salesforce import SalesforceError
from orgs.salesforce.errors import OrgGone

# A row to delete, and its credential, whose refresh lock this process holds.
_Locked = tuple[CredentialOwner, Credential]
_Cascade = bool | Collection[CredentialOwner]


class _CredentialReplaced(Exception):
    """A row that is to be deleted has another credential than the one whose refresh lock is held."""


def delete_org(
    org: SalesforceOrg,
    *,
    by: Principal,
    cascade: _Cascade = False,
    revoke: bool = False,
) -> None:
    """Delete an org with its credential; with `cascade`, also the rows that reach Salesforce through it.

    `cascade` may list these rows: then one that is not listed raises HasChildren.

    Waits for a running refresh: otherwise, if the same token was registered again during it, the token could
    be refreshed twice at once. With `revoke`, the refresh tokens are revoked at Salesforce first; one that is
    invalid already counts as revoked. Raises HasChildren, OrgNotFound, CredentialTampered, and SessionError if
    Salesforce is unavailable: then nothing is deleted.
    """
    audit.require_writable()
    deadline = time.monotonic() + settings.SALESFORCE_TIMEOUT_SECONDS
    while True:
        try:
            return _delete_rows(org, by=by, cascade=cascade, revoke=revoke, deadline=deadline)
        except _CredentialReplaced:
            if time.monotonic() >= deadline:
                raise error_for("REFRESH_IN_PROGRESS") from None


def dependents(org: SalesforceOrg) -> list[CredentialOwner]:
    """Return the rows that reach Salesforce through an org or its dependents, and are deleted only on `cascade`."""
    rows: list[CredentialOwner] = []
    for row in _dependents(org, blocking=True):
        rows += [row, *(dependents(row) if isinstance(row, SalesforceOrg) else ())]
    return rows


@contextmanager
def locked_credential(row: CredentialOwner) -> Iterator[Credential | None]:
    """Hold the refresh lock of a row's credential while the row is deleted; None for a row without one.

    Waits for a running refresh. Raises SessionError (REFRESH_IN_PROGRESS).
    """
    with refresh_lock.hold_locks() as locks:
        try:
            deadline = time.monotonic() + settings.SALESFORCE_TIMEOUT_SECONDS
            credential = _acquire(row, deadline, locks) if row.credential_id else None
        except _CredentialReplaced as error:
            raise error_for("REFRESH_IN_PROGRESS") from error
        yield credential


def _delete_rows(org: SalesforceOrg, *, by: Principal, cascade: _Cascade, revoke: bool, deadline: float) -> None:
    with refresh_lock.hold_locks() as locks:
        rows = _rows_to_delete(org, cascade=cascade)
        locked = [(row, _acquire(row, deadline, locks)) for row in rows if row.credential_id]
        if revoke:
            _revoke_all(locked, by, deadline, locks)
        with org_write_transaction():
            rows = _rows_to_delete(org, cascade=cascade)
            if {row.credential_id for row in rows} - {None} != {credential.pk for _, credential in locked}:
                raise _CredentialReplaced
            for row in rows:
                lock_credential(row.credential_id)
            for row in rows:
                _delete(row, by, revoked=revoke)


def _rows_to_delete(org: SalesforceOrg, *, cascade: _Cascade) -> list[CredentialOwner]:
    """Return the rows to delete, each after its dependents. Raises HasChildren, OrgNotFound."""
    current = SalesforceOrg.objects.filter(pk=org.pk).first()
    if current is None:
        raise OrgNotFound(org.username)
    if cascade is not True and (kept := [row for row in dependents(current) if not cascade or row not in cascade]):
        raise HasChildren(current.username, map(str, kept))
    return _with_dependents(current)


def _with_dependents(row: CredentialOwner) -> list[CredentialOwner]:
    rows: list[CredentialOwner] = []
    if isinstance(row, SalesforceOrg):
        for child in (*_dependents(row, blocking=True), *_dependents(row, blocking=False)):
            rows += _with_dependents(child)
    return [*rows, row]


def _dependents(org: SalesforceOrg, *, blocking: bool) -> Iterator[CredentialOwner]:
    """Yield the rows that are reached through an org: those that block its deletion, or the others."""
    for owner in owner_types():
        if owner.blocks_deletion is blocking:
            yield from owner.reached_through(org)


def _delete(row: CredentialOwner, by: Principal, *, revoked: bool) -> None:
    # Before the deletion, which clears the row's id.
    credential_id, target = row.credential_id, row.audit_target
    row.delete()
    if credential_id:
        Credential.objects.filter(pk=credential_id).delete()
    action = audit.Action.ORG_DELETED if isinstance(row, SalesforceOrg) else audit.Action.CREDENTIAL_REMOVED
    audit.record(action, audit.Outcome.GRANTED, by=by, target=target, revoked=revoked)


def _acquire(row: CredentialOwner, deadline: float, locks: HeldLocks) -> Credential:
    """Acquire the refresh lock of a row's credential, after its holder. Raises SessionError, _CredentialReplaced."""
    while True:
        current = reload(row)
        if current is None or current.credential_id is None:
            raise _CredentialReplaced
        credential = Credential.objects.filter(pk=current.credential_id).first()
        if credential is None:
            raise _CredentialReplaced
        if locks.acquire(credential):
            return credential
        status = wait_for_attempt(credential.pk, credential.generation, deadline=deadline)
        if status and time.monotonic() >= deadline:
            raise error_for("REFRESH_IN_PROGRESS", max(1, round(status.lock_remaining)))


# --- Revoking refresh tokens at Salesforce ---------------------------------------------------------


def _revoke_all(locked: list[_Locked], by: Principal, deadline: float, locks: HeldLocks) -> None:
    for number, (row, credential) in enumerate(locked):
        # The previous calls may have outlasted this lock, and it must last for the next one.
        if not locks.renew(credential):
            locked[number] = row, _acquire(row, deadline, locks)
        _revoke(row, locked[number][1], by)


def _revoke(owner: CredentialOwner, credential: Credential, by: Principal) -> None:
    """Revoke the refresh token of a credential whose refresh lock is held."""
    row = Credential.objects.with_secrets().get(pk=credential.pk)
    if row.sealed_grant is None:
        return  # No grant was created yet, or the last one was refused.
    url = decrypt_grant(row).auth_url
    try:
        with salesforce_slot(credential.pk) as salesforce:
            salesforce.revoke(url.host, url.refresh_token)
    except OrgGone:
        pass  # The token ended with its org.
    except SalesforceError as error:
        failure = error_of(error)
        _audit_failure(owner, failure, by)
        raise failure from error
    except SessionError as error:
        _audit_failure(owner, error, by)
        raise
    with transaction.atomic():
        _mark_revoked(credential)
        audit.record(audit.Action.REVOKED, audit.Outcome.GRANTED, by=by, target=owner.audit_target)


def _audit_failure(owner: CredentialOwner, error: SessionError, by: Principal) -> None:
    audit.record(audit.Action.REVOKED, audit.Outcome.FAILED, by=by, target=owner.audit_target, code=error.code)


def _mark_revoked(credential: Credential) -> None:
    """Write the revocation as an attempt's outcome, so that waiting callers adopt it at once."""
    Credential.objects.filter(pk=credential.pk, generation=credential.generation).update(
        generation=credential.generation + 1,
        locked_until=None,
        sent_at=None,
        sent_by=None,
        unanswered_since=None,
        outcome="CREDENTIAL_EXPIRED",
        outcome_retry_after=None,
        outcome_detail="",
        health=Health.EXPIRED,
        reason="REVOKED",
        last_checked_at=Now(),
    )
