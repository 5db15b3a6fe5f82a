"""How one attempt to refresh ended, as a value: what (b) writes to the row, the spool keeps and replays.

Everybody who waits for an attempt reads its outcome from the row, so all of it is in one UPDATE.
"""

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from authn import audit
from authn.principals import Principal, system
from orgs.credentials.envelopes import Binding, Grant, binding_of, encrypt_grant, encrypt_session
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential, Health
from orgs.credentials.token_index import add
from orgs.salesforce import AuthUrl, Session

_FAILURES_THAT_TRIP = 5
_BREAKER_WINDOW = timedelta(seconds=60)
_BREAKER_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An ended attempt.

    `auth_url` is what is to be stored as the grant, None when the stored one stays; `rotated` says
    that its refresh token is a new one. Without a `session`, `code` says why (orgs/credentials/failures.py).
    `lost` says that Salesforce may have answered with a token that nobody has. `made_for` says whose
    a key is that was made; `keyless`, that none could be, so that the dead one goes too.
    """

    auth_url: AuthUrl | None = field(default=None, repr=False)
    rotated: bool = False
    session: Session | None = None
    code: str = ""
    retry_after: int | None = None
    lost: bool = False
    made_for: Binding | None = None
    without_grant: bool = False

    def to_text(self) -> str:
        """Return the outcome as JSON, for the spool: secrets in the clear, the spool encrypts them."""
        url, session = self.auth_url, self.session
        return json.dumps(
            {
                "url": [url.client_id, url.client_secret, url.refresh_token, url.host] if url else None,
                "rotated": self.rotated,
                "session": [session.access_token, session.instance_url, session.org_id, session.user_id]
                if session
                else None,
                "code": self.code,
                "made_for": [self.made_for.org_id, self.made_for.username] if self.made_for else None,
            }
        )

    @classmethod
    def from_text(cls, text: str) -> "Outcome":
        """Read what `to_text` wrote."""
        content = json.loads(text)
        return cls(
            auth_url=AuthUrl(*content["url"]) if content["url"] else None,
            rotated=content["rotated"],
            session=Session(*content["session"]) if content["session"] else None,
            code=content["code"],
            made_for=Binding(*content["made_for"]) if content.get("made_for") else None,
        )


def row_to_commit(credential_id: uuid.UUID, generation: int) -> Credential | None:
    """Return the row, locked for the write, if it still waits for the attempt that read `generation`."""
    return _locked(credential_id).filter(generation=generation).first()


def row_to_replay(credential_id: uuid.UUID, generation: int) -> Credential | None:
    """Return the row as `row_to_end` does, also if only attempts came since that told nothing of the token.

    What they left open is what the answer that was found on a disk tells (docs/decisions/0011).
    """
    return _locked(credential_id).filter(Q(generation=generation) | Q(unanswered_since__lte=generation)).first()


def is_pending(credential_id: uuid.UUID, generation: int) -> bool:
    """Return True while it is not known whether the attempt that read `generation` spent the refresh token."""
    return Credential.objects.filter(pk=credential_id, unanswered_since__lte=generation).exists()


def _locked(credential_id: uuid.UUID) -> "QuerySet[Credential]":
    rows = Credential.objects.select_for_update(of=("self",)).annotate(database_now=Now())
    return rows.filter(pk=credential_id)


def write(row: Credential, outcome: Outcome, *, was_issued: bool = False) -> None:
    """Write an outcome to a row that `row_to_end` gave: one UPDATE, which ends the lease too.

    `handed_out` says that somebody gets the token, and that it is not for our own questions.
    """
    columns: dict[str, Any] = {
        "generation": row.generation + 1,
        "locked_until": None,
        "last_checked_at": Now(),
        "outcome": outcome.code,
        "outcome_retry_after": outcome.retry_after,
    }
    columns |= _secrets(row, outcome) | _health(row, outcome) | _breaker(row, outcome)
    if _keeps_refusal(row, outcome):
        kept = ("outcome", "outcome_retry_after", "health", "reason")
        columns |= {name: getattr(row, name) for name in kept}
    if was_issued and outcome.session:
        columns["last_used_at"] = Now()
    if outcome.made_for:
        _follow_identity(row, outcome.made_for)
    if not _stays_unanswered(row, outcome):
        columns |= {"sent_at": None, "sent_by": None, "unanswered_since": None}
    Credential.objects.filter(pk=row.pk, generation=row.generation).update(**columns)
    if outcome.session:
        _follow_instance_url(row, outcome.session)


def _keeps_refusal(row: Credential, outcome: Outcome) -> bool:
    """Tell whether a definite refusal stays on record, because a "later" says nothing of the credential.

    A lost answer says more: the refusal may have been healed, and the token spent. So does a key that
    could not be made: the refused one went with it.
    """
    if outcome.session or outcome.rotated or outcome.lost or outcome.without_grant:
        return False
    before = BY_CODE.get(row.outcome)
    return before is not None and before.permanent and not BY_CODE[outcome.code].permanent


def _stays_unanswered(row: Credential, outcome: Outcome) -> bool:
    """Tell whether it is still open if Salesforce has spent the token: a "later" does not settle that."""
    if outcome.lost:
        return True
    settled = outcome.session or outcome.rotated or outcome.without_grant or BY_CODE[outcome.code].permanent
    return row.health == Health.UNCERTAIN and not settled


def _secrets(row: Credential, outcome: Outcome) -> dict[str, Any]:
    """Return the sealed columns. Whose key it is says the row as it stands now, not as it was read."""
    columns: dict[str, Any] = {}
    if outcome.without_grant:
        return {"sealed_grant": None, "sealed_session": None, "rotates": None}
    binding = outcome.made_for
    if binding is None and (outcome.auth_url or outcome.session):
        binding = binding_of(row)
    if outcome.auth_url and binding is not None:
        columns["sealed_grant"] = encrypt_grant(row, Grant(outcome.auth_url, binding))
        columns["rotates"] = None if outcome.made_for else outcome.rotated  # The first refresh tells.
    if outcome.auth_url and outcome.rotated:
        add(row, outcome.auth_url.client_id, outcome.auth_url.refresh_token, outside=False)
        columns["ever_rotated"] = True
    if outcome.session and binding is not None:
        columns["sealed_session"] = encrypt_session(row, outcome.session, binding)
        columns["last_success_at"] = Now()
    return columns


def _health(row: Credential, outcome: Outcome) -> dict[str, Any]:
    if outcome.session:
        return {"health": Health.HEALTHY, "reason": ""}
    if outcome.lost:
        return {"health": Health.UNCERTAIN, "reason": outcome.code}
    ending = BY_CODE[outcome.code]
    if row.health == Health.UNCERTAIN and not (ending.permanent or outcome.rotated or outcome.without_grant):
        return {}  # Whether the lost answer spent the token is still not known.
    return {"health": ending.health, "reason": ending.code} if ending.health else {}


def _breaker(row: Credential, outcome: Outcome) -> dict[str, Any]:
    """Count failures of Salesforce; five in a minute pause this credential for half a minute."""
    ending = BY_CODE.get(outcome.code)
    if ending is None or ending.permanent:
        return {"failures": 0, "failures_since": None, "paused_until": None}
    if not ending.trips_breaker:
        return {}
    now: datetime = row.database_now  # type: ignore[attr-defined]  # row_to_end annotates it
    fresh = row.failures_since is None or row.failures_since < now - _BREAKER_WINDOW
    failures = 1 if fresh else row.failures + 1
    if failures >= _FAILURES_THAT_TRIP:
        return {"failures": 0, "failures_since": None, "paused_until": now + _BREAKER_PAUSE}
    return {"failures": failures, "failures_since": now if fresh else row.failures_since}


def _follow_identity(row: Credential, made_for: Binding) -> None:
    """Write to the owner whose key was made: a sandbox that was refreshed has another org id than before."""
    owner = row.owner
    if owner is None or (owner.org_id, owner.username) == (made_for.org_id, made_for.username):
        return
    known = {"org_id": made_for.org_id, "username": made_for.username}
    type(owner)._default_manager.filter(pk=owner.pk).update(**known)
    if owner.org_id and owner.org_id != made_for.org_id:
        facts = {"old": owner.org_id, "new": made_for.org_id}
        audit.record(audit.Action.ORG_ID_CHANGED, audit.Outcome.GRANTED, by=_engine(), org=owner.username, **facts)


def _follow_instance_url(row: Credential, session: Session) -> None:
    """Note that an org has moved, as instance refreshes and My Domain changes make it."""
    owner = row.owner
    if owner is None or owner.instance_url == session.instance_url:
        return
    type(owner)._default_manager.filter(pk=owner.pk).update(instance_url=session.instance_url)
    if not owner.instance_url:
        return
    facts = {"old": owner.instance_url, "new": session.instance_url}
    audit.record(audit.Action.ORG_MOVED, audit.Outcome.GRANTED, by=_engine(), org=owner.username, **facts)


def _engine() -> Principal:
    return system("credential engine")
