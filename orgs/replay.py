"""Brings home the answers that a process left in the spool when it died, or lost the database.

Every process of a desk looks at its start and every five seconds, and before it asks Salesforce
for a credential whose last answer is missing.
"""

import logging
import uuid

from django.db import transaction

from authn import audit
from authn.actors import system
from authn.loops import Loop
from orgs import outcomes
from orgs.endings import ending_of
from orgs.errors import CredentialTampered, SessionError
from orgs.models import Credential
from orgs.outcomes import Outcome
from orgs.salesforce import SalesforceError
from orgs.spool import SpoolDamaged, SpoolFile, abandoned
from orgs.upstream import place_upstream

_EVERY_SECONDS = 5.0

logger = logging.getLogger("frontdesk.spool")


def replay() -> int:
    """Write every abandoned answer to its credential. Returns how many were written.

    Raises DatabaseError when the database is away; the files stay for the next time.
    """
    written = 0
    for file in abandoned():
        with file:
            written += _replay(file)
    return written


loop = Loop("spool-replay", _EVERY_SECONDS, replay)


def _replay(file: SpoolFile) -> bool:
    place = file.place
    try:
        text = file.read()
        outcome = Outcome.from_text(text) if text else None
    except (SpoolDamaged, ValueError, KeyError, TypeError):
        logger.error("The spool file %s is damaged, or of other FERNET_KEYS. It was set aside.", place.path.name)
        file.set_aside()
        return False
    if outcome is None:  # Room for an answer that never came, or that held no new token.
        file.remove()
        return False
    try:
        with transaction.atomic():
            row = outcomes.row_to_replay(place.credential_id, place.generation)
            if row is not None:
                outcomes.write(row, outcome)
                _audit(audit.Outcome.GRANTED, row.owner.username if row.owner else "")
    except CredentialTampered:
        logger.error("The credential of the spool file %s cannot be read. The file was set aside.", place.path.name)
        file.set_aside()
        return False
    if row is None and not Credential.objects.filter(pk=place.credential_id).exists():
        revoke_orphan(place.credential_id, outcome)
    file.remove()
    return row is not None


def revoke_orphan(credential_id: uuid.UUID, outcome: Outcome) -> None:
    """End a new refresh token whose credential was deleted while it was under way.

    The access token is left alone: Salesforce may have given the same string to somebody else.
    """
    if not outcome.rotated or outcome.auth_url is None:
        return
    url = outcome.auth_url
    try:
        with place_upstream(credential_id) as salesforce:
            salesforce.revoke(url.host, url.refresh_token)
    except SessionError as error:
        _audit(audit.Outcome.FAILED, code=error.code, action=audit.Action.REVOKED)
    except SalesforceError as error:
        _audit(audit.Outcome.FAILED, code=ending_of(error).code, action=audit.Action.REVOKED)
    else:
        _audit(audit.Outcome.GRANTED, action=audit.Action.REVOKED)


def _audit(
    ended: audit.Outcome, org: str = "", *, code: str = "", action: audit.Action = audit.Action.ANSWER_REPLAYED
) -> None:
    audit.record(action, ended, by=system("spool"), org=org, code=code)
