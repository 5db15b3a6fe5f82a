"""Gives a session for a registered org, whichever way its key is had.

Most orgs have a key that an owner brought. One that was registered by its sandbox name has a key
that was made through its parent, and is made again when Salesforce refuses it.
"""

from dataclasses import replace
from functools import partial

from authn.principals import Principal
from orgs.credentials.attempts import audit_issue
from orgs.credentials.calls import call_with_session
from orgs.credentials.envelopes import decrypt_session
from orgs.credentials.errors import CredentialRefused, GrantRefused, OrgError
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest
from orgs.credentials.sessions import CredentialGone, IssuedSession, open_session, recorded_failure, refuse_session
from orgs.errors import OrgNotFound, OrgUnverified
from orgs.models import SalesforceOrg
from orgs.organization_kinds import Kind
from orgs.salesforce import Session, host_of, my_domain
from orgs.sandbox_grants import SandboxGrantCreator


def session_for(org: SalesforceOrg, asking: SessionRequest) -> IssuedSession:
    """Return a session for a registered org, whichever credential it has by now.

    Raises what open_session raises, but for CredentialGone; OrgUnverified; OrgNotFound when the
    org was deleted meanwhile.
    """
    for _ in range(2):
        current = SalesforceOrg.objects.for_answers().filter(pk=org.pk).first()
        if current is None:
            raise OrgNotFound(org.username)
        credential = current.credential
        if credential is None:
            raise refuse_session(asking, "CREDENTIAL_EXPIRED")
        if not current.org_id and not asking.force:
            audit_issue(asking, OrgUnverified.code)
            raise OrgUnverified(org.username)
        maker = _grant_creator(current, credential, asking.by)
        try:
            return open_session(credential, replace(asking, create_grant=maker))
        except CredentialGone:
            continue
        except CredentialRefused as error:
            if error.is_news and error.code == "CREDENTIAL_EXPIRED" and _was_refreshed(current, asking.by):
                _note_refresh(credential)
                raise refuse_session(asking, "SANDBOX_REFRESHED") from error
            raise
        except GrantRefused as error:
            raise (maker.named(error) if maker else error) from error
    raise refuse_session(asking, "REFRESH_IN_PROGRESS")


class ParentSessions:
    """Gives sessions of a parent for one question: the newest that it has, then, when that was refused, a fresh one.

    Raises what session_for raises, with the parent's name before the message.
    """

    def __init__(self, parent: SalesforceOrg, by: Principal) -> None:
        self._parent = parent
        self._asking = SessionRequest(by=by, org=parent.username)
        self._newest_is_good = True

    def __call__(self) -> Session:
        """Return a session."""
        try:
            newest = newest_session(self._parent) if self._newest_is_good else None
            self._newest_is_good = False
            return newest or session_for(self._parent, self._asking).session
        except OrgError as error:
            error.args = (f"{self._parent.username}: {error}",)
            raise


def newest_session(org: SalesforceOrg) -> Session | None:
    """Return the session that an org's key gave last, without a call; None when it is known to be no good.

    Raises CredentialTampered.
    """
    row = Credential.objects.with_secrets().filter(org=org).first()
    return None if row is None or recorded_failure(row) else decrypt_session(row)


def _grant_creator(org: SalesforceOrg, credential: Credential, by: Principal) -> SandboxGrantCreator | None:
    if not org.is_jit_registration or org.parent is None:
        return None
    return SandboxGrantCreator(
        parent=org.parent,
        parent_sessions=partial(ParentSessions, org.parent, by),
        sandbox_name=org.sandbox_name,
        credential_id=credential.pk,
        username=org.username,
    )


# --- A sandbox with a key of its own that was refreshed --------------------------------------------


def parent_of(sandbox: SalesforceOrg) -> SalesforceOrg | None:
    """Return the registered production org of a sandbox: the one it was registered with, or of its My Domain."""
    if sandbox.parent is not None:
        return sandbox.parent
    domain = my_domain(host_of(sandbox.instance_url))
    fitting = SalesforceOrg.objects.filter(kind=Kind.PRODUCTION, instance_url__startswith=f"https://{domain}.")
    return fitting.exclude(org_id="").order_by("pk").first()


def _was_refreshed(org: SalesforceOrg, by: Principal) -> bool:
    """Ask the parent of a sandbox whose key was just refused whether the sandbox is another org by now."""
    parent = parent_of(org) if org.kind == Kind.SANDBOX and org.sandbox_name else None
    if parent is None or parent.credential_id is None:
        return False
    try:
        _, state = call_with_session(
            parent.credential_id,
            ParentSessions(parent, by),
            lambda salesforce, session: salesforce.sandbox_state(session, org.sandbox_name),
        )
    except OrgError:
        return False  # What is not known is not told.
    return state is not None and state.org_id not in ("", org.org_id[:15])


def _note_refresh(credential: Credential) -> None:
    """Keep on record what the parent told, for the health and for those who ask later."""
    ending = BY_CODE["SANDBOX_REFRESHED"]
    rows = Credential.objects.filter(pk=credential.pk, outcome="CREDENTIAL_EXPIRED")
    rows.update(outcome=ending.code, health=ending.health, reason=ending.code)
