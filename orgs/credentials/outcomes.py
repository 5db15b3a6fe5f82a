"""What a refresh attempt can end in, as values: refreshed, a grant created, failed, or the response lost.

They are made here from what Salesforce sent, kept as text in the spool, and stored by outcome_storage.
"""

import json
from dataclasses import dataclass, field, replace
from typing import ClassVar

from orgs.credentials.envelopes import Binding, Grant
from orgs.credentials.failures import BY_CODE, failure_of
from orgs.salesforce import AuthUrl, SalesforceError, Session, TokenResponse
from orgs.salesforce import errors as wire


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Salesforce issued a session. `auth_url` is stored; with `rotated` it holds the next refresh token."""

    code: ClassVar[str] = ""
    session: Session
    auth_url: AuthUrl = field(repr=False)
    rotated: bool = False

    @property
    def new_auth_url(self) -> AuthUrl | None:
        """The auth URL whose refresh token only this outcome holds, if it holds one."""
        return self.auth_url if self.rotated else None


@dataclass(frozen=True, slots=True)
class GrantCreated:
    """A grant was created through another org, because there was none or Salesforce refuses it."""

    code: ClassVar[str] = ""
    session: Session
    auth_url: AuthUrl = field(repr=False)
    binding: Binding

    @property
    def new_auth_url(self) -> AuthUrl:
        """The auth URL whose refresh token only this outcome holds."""
        return self.auth_url


@dataclass(frozen=True, slots=True)
class Failed:
    """No session. `code` says why (orgs/credentials/failure_catalogue.py), `retry_after` is in seconds.

    `detail` is what only this failure shows, as in errors of Salesforce. `new_auth_url` is set if the response held
    the next refresh token nevertheless. `without_grant` says that the attempt was to create a grant, and that the
    credential is left without one; `host_not_found`, that the host did not resolve.
    """

    session: ClassVar[None] = None
    code: str
    retry_after: int | None = None
    new_auth_url: AuthUrl | None = field(default=None, repr=False)
    without_grant: bool = False
    detail: str = ""
    host_not_found: bool = False

    @property
    def settles_refresh_token(self) -> bool:
        """Whether this shows if the stored refresh token is spent. A temporary failure does not."""
        return self.new_auth_url is not None or self.without_grant or BY_CODE[self.code].permanent


@dataclass(frozen=True, slots=True)
class Lost:
    """Salesforce may have issued a refresh token that the desk did not receive."""

    session: ClassVar[None] = None
    new_auth_url: ClassVar[None] = None
    code: str
    retry_after: int | None = None
    detail: str = ""


Outcome = Refreshed | GrantCreated | Failed | Lost


def from_response(grant: Grant, response: TokenResponse) -> Refreshed | Failed:
    """Return the outcome of a complete response. A new refresh token in it is kept even if the rest is invalid."""
    rotated = response.refresh_token is not None
    url = replace(grant.auth_url, refresh_token=response.refresh_token) if response.refresh_token else grant.auth_url
    detail = ""
    if response.session is None:
        fault = response.fault or wire.Unreadable()
        code, detail = failure_of(fault).code, fault.detail
    elif grant.binding.org_id not in (None, response.session.org_id):
        code = "ORG_ID_MISMATCH"
    else:
        return Refreshed(response.session, url, rotated)
    return Failed(code, new_auth_url=url if rotated else None, detail=detail)


def from_error(error: SalesforceError, *, may_rotate: bool, unanswered: bool) -> Failed | Lost:
    """Return the outcome of a refresh without a complete response.

    `may_rotate` says that the response may have held the next refresh token; `unanswered`, that an earlier
    response was lost, so that an invalid token means that one was spent.
    """
    code = failure_of(error).code
    if code == "CREDENTIAL_EXPIRED" and unanswered:
        code = "LOST_ANSWER"
    if isinstance(error, wire.LostResponse) or (isinstance(error, wire.Garbled) and may_rotate):
        return Lost(code, error.retry_after, error.detail)
    not_found = isinstance(error, wire.HostNotFound)
    return Failed(code, error.retry_after, detail=error.detail, host_not_found=not_found)


def to_text(outcome: Outcome) -> str:
    """Return an outcome with a session or a new refresh token as JSON. Its secrets are clear: the spool encrypts it."""
    url = outcome.new_auth_url if isinstance(outcome, Failed | Lost) else outcome.auth_url
    session = outcome.session
    binding = outcome.binding if isinstance(outcome, GrantCreated) else None
    return json.dumps(
        {
            "url": [url.client_id, url.client_secret, url.refresh_token, url.host] if url else None,
            "rotated": outcome.new_auth_url is not None,
            "session": [session.access_token, session.instance_url, session.org_id, session.user_id]
            if session
            else None,
            "code": outcome.code,
            "made_for": [binding.org_id, binding.username] if binding else None,
        }
    )


def from_text(text: str) -> Outcome:
    """Return the outcome that `to_text` wrote. Raises ValueError, KeyError or TypeError for any other text."""
    content = json.loads(text)
    auth_url = AuthUrl(*content["url"]) if content["url"] else None
    session = Session(*content["session"]) if content["session"] else None
    if session is None or auth_url is None:
        return Failed(content["code"], new_auth_url=auth_url)
    if content.get("made_for"):
        return GrantCreated(session, auth_url, Binding(*content["made_for"]))
    return Refreshed(session, auth_url, rotated=content["rotated"])
