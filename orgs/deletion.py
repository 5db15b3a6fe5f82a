"""Deletes an org and its credential, and ends the refresh token at Salesforce when asked to."""

import time
from collections.abc import Iterator
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
from orgs.credentials.failures import error_for, failure_of
from orgs.credentials.models import Credential, Health
from orgs.credentials.ownership import CredentialOwner, owner_types, reload
from orgs.credentials.single_flight import wait_for_attempt
from orgs.errors import HasChildren, OrgNotFound
from orgs.locks import lock_credential, one_org_writer
from orgs.models import SalesforceOrg
from orgs.salesforce import SalesforceError
from orgs.salesforce.errors import OrgGone


class _CredentialReplaced(Exception):
    """An org that is to be deleted has another credential by now than the one that is held."""


def delete_org(org: SalesforceOrg, *, by: Principal, cascade: bool = False, revoke: bool = False) -> None:
    """Delete an org with its credential; with `cascade` its children too.

    Waits for a refresh that is under way: a token that is registered anew while Salesforce still
    answers for the old row would be refreshed twice at once. With `revoke` the refresh tokens are
    ended at Salesforce first; one that is dead already counts as ended. Raises HasChildren,
    OrgNotFound, SessionError (Salesforce out of reach: nothing is deleted), CredentialTampered.
    """
    audit.require_writable()
    deadline = time.monotonic() + settings.SALESFORCE_TIMEOUT_SECONDS
    while True:
        try:
            return _remove(org, by=by, cascade=cascade, revoke=revoke, deadline=deadline)
        except _CredentialReplaced:
            if time.monotonic() >= deadline:
                raise error_for("REFRESH_IN_PROGRESS") from None


def dependents(org: SalesforceOrg) -> list[CredentialOwner]:
    """Return what an owner must agree to lose with an org: the rows that reach Salesforce through it."""
    return list(_dependents(org, blocking=True))


def _remove(org: SalesforceOrg, *, by: Principal, cascade: bool, revoke: bool, deadline: float) -> None:
    with refresh_lock.hold_locks() as locks:
        doomed = _rows_to_delete(org, cascade=cascade)
        held = [(row, _hold(row, deadline, locks)) for row in doomed if row.credential_id]
        if revoke:
            _revoke_all(held, by, deadline, locks)
        with one_org_writer():
            rows = _rows_to_delete(org, cascade=cascade)
            if {row.credential_id for row in rows} - {None} != {credential.pk for _, credential in held}:
                raise _CredentialReplaced
            for row in rows:
                lock_credential(row.credential_id)
            for row in rows:
                _delete(row, by, revoked=revoke)


def _rows_to_delete(org: SalesforceOrg, *, cascade: bool) -> list[CredentialOwner]:
    """Return the rows to delete, what is reached through the org first. Raises HasChildren, OrgNotFound."""
    current = SalesforceOrg.objects.filter(pk=org.pk).first()
    if current is None:
        raise OrgNotFound(org.username)
    if not cascade and (children := list(_dependents(current, blocking=True))):
        raise HasChildren(current.username, map(str, children))
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
    credential_id = row.credential_id
    row.delete()
    if credential_id:
        Credential.objects.filter(pk=credential_id).delete()
    action = audit.Action.ORG_DELETED if isinstance(row, SalesforceOrg) else audit.Action.CREDENTIAL_REMOVED
    audit.record(action, audit.Outcome.GRANTED, by=by, org=str(row), revoked=revoked)


@contextmanager
def locked_credential(row: CredentialOwner) -> Iterator[Credential | None]:
    """Hold the refresh lock of the credential of a row that an app above deletes; None where it has none.

    Raises SessionError (REFRESH_IN_PROGRESS).
    """
    with refresh_lock.hold_locks() as locks:
        try:
            deadline = time.monotonic() + settings.SALESFORCE_TIMEOUT_SECONDS
            held = _hold(row, deadline, locks) if row.credential_id else None
        except _CredentialReplaced as error:
            raise error_for("REFRESH_IN_PROGRESS") from error
        yield held


def _hold(row: CredentialOwner, deadline: float, locks: refresh_lock.HeldLocks) -> Credential:
    """Take the lease of a row's credential, after whoever has it. Raises REFRESH_IN_PROGRESS."""
    while True:
        current = reload(row)
        if current is None or current.credential_id is None:
            raise _CredentialReplaced
        credential = Credential.objects.filter(pk=current.credential_id).first()
        if credential is None:
            raise _CredentialReplaced
        if locks.acquire(credential):
            return credential
        sight = wait_for_attempt(credential.pk, credential.generation, deadline=deadline)
        if sight and time.monotonic() >= deadline:
            raise error_for("REFRESH_IN_PROGRESS", max(1, round(sight.lock_remaining)))


# --- Ending the refresh token at Salesforce --------------------------------------------------------


def _revoke_all(
    held: list[tuple[CredentialOwner, Credential]], by: Principal, deadline: float, locks: refresh_lock.HeldLocks
) -> None:
    for number, (row, credential) in enumerate(held):
        # The calls before may have outlasted its lock; the one that comes must not.
        if not locks.renew(credential):
            held[number] = row, _hold(row, deadline, locks)
        _revoke(row, held[number][1], by)


def _revoke(org: CredentialOwner, credential: Credential, by: Principal) -> None:
    """End a refresh token whose credential is held."""
    row = Credential.objects.with_secrets().get(pk=credential.pk)
    if row.sealed_grant is None:
        return  # No key was made yet, or the last one was refused.
    url = decrypt_grant(row).auth_url
    try:
        with salesforce_slot(credential.pk) as salesforce:
            salesforce.revoke(url.host, url.refresh_token)
    except OrgGone:
        pass  # The token is gone with its org, as one that is dead already.
    except SalesforceError as error:
        ended = failure_of(error).error(error.retry_after)
        _audit_failure(org, ended, by)
        raise ended from error
    except SessionError as error:
        _audit_failure(org, error, by)
        raise
    with transaction.atomic():
        _mark_revoked(credential)
        audit.record(audit.Action.REVOKED, audit.Outcome.GRANTED, by=by, org=str(org))


def _audit_failure(org: CredentialOwner, error: SessionError, by: Principal) -> None:
    audit.record(audit.Action.REVOKED, audit.Outcome.FAILED, by=by, org=str(org), code=error.code)


def _mark_revoked(credential: Credential) -> None:
    """Write the revocation as an attempt's outcome: whoever waits learns at once that the token is dead."""
    Credential.objects.filter(pk=credential.pk, generation=credential.generation).update(
        generation=credential.generation + 1,
        locked_until=None,
        sent_at=None,
        sent_by=None,
        unanswered_since=None,
        outcome="CREDENTIAL_EXPIRED",
        outcome_retry_after=None,
        health=Health.EXPIRED,
        reason="REVOKED",
        last_checked_at=Now(),
    )
