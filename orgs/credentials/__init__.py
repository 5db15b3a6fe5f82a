"""The credential engine: the one way from a stored refresh token to a session.

    open_session(credential, SessionRequest(...)) -> IssuedSession        sessions
        |- acquire the refresh lock, audit, reserve disk     attempts, refresh_lock, spool
        |- send the refresh to Salesforce                    attempts, late_responses, concurrency
        |- commit outcome, tokens and audit in one write     outcomes, outcome_storage, envelopes, token_index
        `- or wait for another caller's attempt, and adopt   single_flight
    replay commits what a crash left in the spool; orphans deletes credentials without an owner.

It depends on no org, HTTP or console: it finds the owner of a credential through `ownership`. `sandboxes` imports
from this package only, `orgs` from its modules too. Read `sessions` first.
"""

from orgs.credentials.calls import call, call_with_session, session_then_refresh
from orgs.credentials.concurrency import host_policy
from orgs.credentials.envelopes import decrypt_grant
from orgs.credentials.errors import (
    CredentialRefused,
    CredentialTampered,
    DeskSealed,
    GrantRefused,
    OrgError,
    OrgGone,
    SalesforceLimited,
    SalesforceRefused,
    SalesforceTimedOut,
    SalesforceUnavailable,
    SandboxNotFound,
    SessionError,
    SpoolUnavailable,
    SpoolUnreadable,
)
from orgs.credentials.failures import BY_CODE, error_for, error_of, failure_of
from orgs.credentials.models import Credential, Health
from orgs.credentials.orphans import delete_orphan
from orgs.credentials.ownership import register_owner, unlink_other_owners
from orgs.credentials.refresh_lock import unlocked
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.session_results import CredentialGone, IssuedSession
from orgs.credentials.sessions import open_session, retry_when_gone
from orgs.credentials.token_index import credential_for, mark_released

__all__ = [
    "BY_CODE",
    "Credential",
    "CredentialGone",
    "CredentialRefused",
    "CredentialTampered",
    "DeskSealed",
    "GrantRefused",
    "Health",
    "IssuedSession",
    "OrgError",
    "OrgGone",
    "SalesforceLimited",
    "SalesforceRefused",
    "SalesforceTimedOut",
    "SalesforceUnavailable",
    "SandboxNotFound",
    "SessionError",
    "SessionRequest",
    "SpoolUnavailable",
    "SpoolUnreadable",
    "call",
    "call_with_session",
    "credential_for",
    "decrypt_grant",
    "delete_orphan",
    "error_for",
    "error_of",
    "failure_of",
    "host_policy",
    "mark_released",
    "open_session",
    "register_owner",
    "retry_when_gone",
    "session_then_refresh",
    "unlink_other_owners",
    "unlocked",
]
