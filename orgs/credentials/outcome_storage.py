"""Writes the outcome of a refresh attempt to its credential: one UPDATE, which releases the refresh lock too.

Every caller who waits for an attempt reads its outcome from the row.
"""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from authn import audit
from authn.principals import system
from orgs.credentials import token_index
from orgs.credentials.envelopes import Binding, Grant, decrypt_grant, encrypt_grant, encrypt_session
from orgs.credentials.failures import BY_CODE, recorded_failure
from orgs.credentials.models import Credential, Health
from orgs.credentials.outcomes import Failed, GrantCreated, Lost, Outcome, Refreshed
from orgs.credentials.ownership import CredentialOwner
from orgs.salesforce import Session

_FAILURES_THAT_TRIP = 5
_BREAKER_WINDOW = timedelta(seconds=60)
_BREAKER_PAUSE = timedelta(seconds=30)
# The health reason of a host that has not resolved for a day. Callers get UPSTREAM_UNREACHABLE meanwhile.
HOST_NOT_FOUND = "HOST_NOT_FOUND"
_UNRESOLVED_TOO_LONG = timedelta(days=1)
# Why a refresh token is dead, as far as the desk knows. Salesforce reports each of them as an expired token.
_CAUSES_OF_DEATH = ("LOST_ANSWER", "REVOKED", "SANDBOX_REFRESHED")


def store(row: Credential, outcome: Outcome, *, was_issued: bool) -> bool:
    """Write the outcome of the attempt that read `row` when it acquired the refresh lock.

    Returns False if the row no longer waits for it. A session without a new refresh token takes one UPDATE, which
    applies only while the grant is the one in `row`: a registration may have bound it to another org or user since.
    """
    if isinstance(outcome, Refreshed) and not outcome.rotated and write(row, outcome, was_issued=was_issued):
        return True
    current = row_to_commit(row.pk, row.generation)
    return current is not None and write(current, outcome, was_issued=was_issued)


def row_to_commit(credential_id: uuid.UUID, generation: int) -> Credential | None:
    """Return the row, locked, if it still waits for the attempt that read `generation`; else None."""
    return _locked(credential_id).filter(generation=generation).first()


def row_to_replay(credential_id: uuid.UUID, generation: int) -> Credential | None:
    """Return the row as `row_to_commit` does, also if later attempts left the refresh token unsettled.

    The spooled response of the earlier attempt settles what they could not (docs/decisions/0011).
    """
    return _locked(credential_id).filter(Q(generation=generation) | Q(unanswered_since__lte=generation)).first()


def is_pending(credential_id: uuid.UUID, generation: int) -> bool:
    """Return True while it is unknown whether the attempt that read `generation` spent the refresh token."""
    return Credential.objects.filter(pk=credential_id, unanswered_since__lte=generation).exists()


def _locked(credential_id: uuid.UUID) -> "QuerySet[Credential]":
    rows = Credential.objects.with_secrets().select_for_update(of=("self",)).annotate(database_now=Now())
    return rows.filter(pk=credential_id)


def write(row: Credential, outcome: Outcome, *, was_issued: bool = False) -> bool:
    """Write an outcome to its row: one UPDATE, which releases the refresh lock too.

    `was_issued` says that a client gets the token; otherwise it serves the desk's own calls. Returns False, and
    changes nothing, if an attempt has ended or the grant was replaced since `row` was read.
    """
    columns: dict[str, object] = {
        "generation": row.generation + 1,
        "locked_until": None,
        "last_checked_at": Now(),
        "outcome": outcome.code,
        "outcome_retry_after": outcome.retry_after if isinstance(outcome, Failed | Lost) else None,
        "outcome_detail": outcome.detail if isinstance(outcome, Failed | Lost) else "",
    }
    columns |= _secrets(row, outcome) | _health(row, outcome) | _breaker(row, outcome) | _resolution(row, outcome)
    if _keeps_refusal(row, outcome):
        kept = ("outcome", "outcome_retry_after", "outcome_detail", "health", "reason")
        columns |= {name: getattr(row, name) for name in kept}
    if was_issued and outcome.session:
        columns["last_used_at"] = Now()
    if isinstance(outcome, GrantCreated):
        _follow_identity(_current_owner(row), outcome.binding)
    if not _stays_unanswered(row, outcome):
        columns |= {"sent_at": None, "sent_by": None, "unanswered_since": None}
    rows = Credential.objects.filter(_has_grant_of(row), pk=row.pk, generation=row.generation)
    if not rows.update(**columns):
        return False
    if outcome.session and not (row.owner and row.owner.instance_url == outcome.session.instance_url):
        _follow_instance_url(_current_owner(row), outcome.session)
    return True


def _has_grant_of(row: Credential) -> Q:
    """Return the condition that the stored grant is the one in `row`."""
    grant = row.sealed_grant
    return Q(sealed_grant__isnull=True) if grant is None else Q(sealed_grant__ciphertext=grant)


def _keeps_refusal(row: Credential, outcome: Outcome) -> bool:
    """Return True if the failure on record stays.

    A temporary failure does not disprove a permanent one. That Salesforce does not accept a dead token says
    less than why it died.
    """
    if outcome.code == "CREDENTIAL_EXPIRED" and row.reason in _CAUSES_OF_DEATH:
        return True
    return isinstance(outcome, Failed) and not outcome.settles_refresh_token and recorded_failure(row) is not None


def _stays_unanswered(row: Credential, outcome: Outcome) -> bool:
    """Return True if it is still unknown whether Salesforce has spent the refresh token."""
    if isinstance(outcome, Lost):
        return True
    return isinstance(outcome, Failed) and row.health == Health.UNCERTAIN and not outcome.settles_refresh_token


def _secrets(row: Credential, outcome: Outcome) -> dict[str, object]:
    """Return the encrypted columns, bound to the row's present binding, which may be newer than the request."""
    columns: dict[str, object] = {}
    auth_url = outcome.auth_url if isinstance(outcome, Refreshed) else outcome.new_auth_url
    if isinstance(outcome, GrantCreated):
        grant = Grant(outcome.auth_url, outcome.binding)
        # The first refresh shows whether the token rotates.
        columns |= {"sealed_grant": encrypt_grant(row, grant), "rotates": None}
    elif auth_url is not None:
        stored = decrypt_grant(row, check_owner=False)
        grant = replace(stored, auth_url=auth_url)
        columns["rotates"] = outcome.new_auth_url is not None
        if grant != stored:
            columns["sealed_grant"] = encrypt_grant(row, grant)
    elif isinstance(outcome, Failed) and outcome.without_grant:
        return {"sealed_grant": None, "sealed_session": None, "rotates": None}
    else:
        return {}
    if outcome.new_auth_url:
        token_index.add(row, grant.auth_url.client_id, grant.auth_url.refresh_token, released=False)
        columns["ever_rotated"] = True
    if outcome.session:
        columns["sealed_session"] = encrypt_session(row, outcome.session, grant.binding)
        columns["last_success_at"] = Now()
    return columns


def _health(row: Credential, outcome: Outcome) -> dict[str, object]:
    if isinstance(outcome, Refreshed | GrantCreated):
        return {"health": Health.HEALTHY, "reason": ""}
    if isinstance(outcome, Lost):
        return {"health": Health.UNCERTAIN, "reason": outcome.code}
    if row.health == Health.UNCERTAIN and not outcome.settles_refresh_token:
        return {}  # It is still unknown whether the lost response spent the token.
    if outcome.host_not_found and row.unresolved_since and row.unresolved_since <= _now(row) - _UNRESOLVED_TOO_LONG:
        return {"health": Health.FAILING, "reason": HOST_NOT_FOUND}
    failure = BY_CODE[outcome.code]
    return {"health": failure.health, "reason": failure.code} if failure.health else {}


def _resolution(row: Credential, outcome: Outcome) -> dict[str, object]:
    """Keep since when the host has not resolved. An attempt without a free slot does not show whether it does."""
    if isinstance(outcome, Failed) and outcome.host_not_found:
        return {} if row.unresolved_since else {"unresolved_since": Now()}
    return {} if outcome.code == "UPSTREAM_BUSY" else {"unresolved_since": None}


def _now(row: Credential) -> datetime:
    """Return the database's time at which the row was locked."""
    now: datetime = row.database_now  # type: ignore[attr-defined]  # row_to_commit annotates it
    return now


def _breaker(row: Credential, outcome: Outcome) -> dict[str, object]:
    """Count failures of Salesforce; five in a minute pause this credential for half a minute."""
    failure = BY_CODE.get(outcome.code)
    if failure is None or failure.permanent:
        return {"failures": 0, "failures_since": None, "paused_until": None}
    if not failure.trips_breaker:
        return {}
    now = _now(row)
    is_new_window = row.failures_since is None or row.failures_since < now - _BREAKER_WINDOW
    failures = 1 if is_new_window else row.failures + 1
    if failures >= _FAILURES_THAT_TRIP:
        return {"failures": 0, "failures_since": None, "paused_until": now + _BREAKER_PAUSE}
    return {"failures": failures, "failures_since": now if is_new_window else row.failures_since}


def _current_owner(row: Credential) -> CredentialOwner | None:
    """Return the owner, read apart from the locked row: a registration may have changed it during the wait for that."""
    return Credential.objects.with_secrets().get(pk=row.pk).owner


def _follow_identity(owner: CredentialOwner | None, binding: Binding) -> None:
    """Store the identity of a grant that was created: a refreshed sandbox has another org id than before."""
    if owner is None or (owner.org_id, owner.username) == (binding.org_id, binding.username):
        return
    former = owner.org_id
    owner.update_details(org_id=binding.org_id or "", username=binding.username or "")
    if former and former != binding.org_id:
        _record(audit.Action.ORG_ID_CHANGED, owner, "orgId", old=former, new=binding.org_id or "")


def _follow_instance_url(owner: CredentialOwner | None, session: Session) -> None:
    """Store the new host of an org that has moved, as instance refreshes and My Domain changes make it."""
    if owner is None or owner.instance_url == session.instance_url:
        return
    owner.update_details(instance_url=session.instance_url)
    if owner.instance_url:
        _record(audit.Action.ORG_MOVED, owner, "instanceUrl", old=owner.instance_url, new=session.instance_url)


def _record(action: audit.Action, owner: CredentialOwner, field: str, *, old: str, new: str) -> None:
    by = system("credential engine")
    changes = audit.changes({field: old}, {field: new})
    audit.record(action, audit.Outcome.GRANTED, by=by, target=owner.audit_target, changes=changes)
