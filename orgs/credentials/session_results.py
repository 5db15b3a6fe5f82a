"""What a request for a session results in: a session, a refusal, or a credential that was deleted meanwhile."""

from dataclasses import dataclass

from orgs.credentials.errors import OrgError
from orgs.salesforce import Session


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """A session for the caller.

    `reused` says that it is older than the request, issued again because the login budget is spent; `audited`,
    that the attempt's own transaction has recorded it.
    """

    session: Session
    reused: bool = False
    audited: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """No session was issued, for the reason in `error`.

    `is_fresh` says that this request's own refresh failed, not an earlier attempt; `replaceable`, that Salesforce
    refuses the grant and another can be created in its place; `audited`, that the attempt's own transaction has
    recorded it.
    """

    error: OrgError
    is_fresh: bool = False
    replaceable: bool = False
    audited: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The credential was deleted during the request. Its owner may have another."""


class CredentialGone(Exception):
    """The credential was deleted during the request. Its owner may have another: run the work again with that one."""
