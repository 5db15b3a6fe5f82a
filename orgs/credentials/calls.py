"""Asks Salesforce something with a session; with a new one, once, when the session is not accepted."""

import uuid
from collections.abc import Callable
from typing import TypeVar

from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.failures import failure_of
from orgs.salesforce import SalesforceClient, SalesforceError, Session
from orgs.salesforce.errors import SessionExpired

Reply = TypeVar("Reply")


def session_then_refresh(session: Session, reopen: Callable[[], Session]) -> Callable[[], Session]:
    """Return what gives a session that is at hand first, and fresh ones when it is not accepted."""
    at_hand = [session]
    return lambda: at_hand.pop() if at_hand else reopen()


def call_with_session(
    credential_id: uuid.UUID, a_session: Callable[[], Session], question: Callable[[SalesforceClient, Session], Reply]
) -> tuple[Session, Reply]:
    """Return the reply to a question, and the session that it was asked with.

    `a_session` opens one, and is called again when Salesforce ends the first under our hands.
    Raises SessionError, and what `a_session` raises.
    """
    try:
        return call(credential_id, a_session, question)
    except SalesforceError as error:
        raise failure_of(error).error(error.retry_after) from error


def call(
    credential_id: uuid.UUID, a_session: Callable[[], Session], question: Callable[[SalesforceClient, Session], Reply]
) -> tuple[Session, Reply]:
    """Do as ask_with_session does, but raise SalesforceError as it is."""
    try:
        return _call(credential_id, a_session(), question)
    except SessionExpired:
        return _call(credential_id, a_session(), question)


def _call(
    credential_id: uuid.UUID, session: Session, question: Callable[[SalesforceClient, Session], Reply]
) -> tuple[Session, Reply]:
    with salesforce_slot(credential_id) as salesforce:
        return session, question(salesforce, session)
