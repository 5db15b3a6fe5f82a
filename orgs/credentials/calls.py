"""Calls Salesforce with a session, and once more with a new session if Salesforce rejects the first."""

import uuid
from collections.abc import Callable
from typing import TypeVar

from orgs.credentials.concurrency import salesforce_slot
from orgs.credentials.failures import error_of
from orgs.salesforce import SalesforceClient, SalesforceError, Session
from orgs.salesforce.errors import SessionExpired

Result = TypeVar("Result")


def session_then_refresh(session: Session, refresh: Callable[[], Session]) -> Callable[[], Session]:
    """Return a `get_session` for the calls below: its first call returns `session`, each later one refreshes."""
    unused = [session]
    return lambda: unused.pop() if unused else refresh()


def call_with_session(
    credential_id: uuid.UUID,
    get_session: Callable[[], Session],
    operation: Callable[[SalesforceClient, Session], Result],
) -> tuple[Session, Result]:
    """Run an operation at Salesforce. Returns the session that was accepted, and the operation's result.

    `get_session` is called again if Salesforce rejects the first session; then the operation runs twice.
    Raises SessionError, and what `get_session` raises.
    """
    try:
        return call(credential_id, get_session, operation)
    except SalesforceError as error:
        raise error_of(error) from error


def call(
    credential_id: uuid.UUID,
    get_session: Callable[[], Session],
    operation: Callable[[SalesforceClient, Session], Result],
) -> tuple[Session, Result]:
    """Do the same as `call_with_session`, but raise SalesforceError unchanged."""
    try:
        return _call_once(credential_id, get_session(), operation)
    except SessionExpired:
        return _call_once(credential_id, get_session(), operation)


def _call_once(
    credential_id: uuid.UUID, session: Session, operation: Callable[[SalesforceClient, Session], Result]
) -> tuple[Session, Result]:
    with salesforce_slot(credential_id) as salesforce:
        return session, operation(salesforce, session)
