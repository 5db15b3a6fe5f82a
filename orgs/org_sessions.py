"""Returns sessions of registered orgs.

Most orgs have a grant that an owner registered. An org that was registered by its sandbox name has a grant
that was created through its parent; another is created when Salesforce refuses it.
"""

from dataclasses import replace
from functools import partial

from authn import audit
from authn.principals import Principal
from orgs.credentials.calls import call_with_session
from orgs.credentials.envelopes import decrypt_session
from orgs.credentials.errors import OrgError
from orgs.credentials.failures import BY_CODE, recorded_failure
from orgs.credentials.models import Credential
from orgs.credentials.session_request import SessionRequest, record_result
from orgs.credentials.session_results import CredentialGone, Gone, IssuedSession, Refused
from orgs.credentials.sessions import refuse_session, request_session, retry_when_gone
from orgs.errors import CredentialsForbidden, OrgNotFound, OrgUnverified
from orgs.models import Kind, SalesforceOrg
from orgs.salesforce import Session, host_of, is_same_my_domain, my_domain
from orgs.sandbox_grants import SandboxGrantCreator


def issue_access_token(org: SalesforceOrg, *, by: Principal) -> IssuedSession:
    """Return a session for a client, issued after its request came in; `org` was read for that request.

    Raises CredentialsForbidden, and what session_for raises.
    """
    if not by.may_hold_credentials:
        raise CredentialsForbidden
    request = SessionRequest(by=by, target=org.audit_target, audit_action=audit.Action.ACCESS_TOKEN)
    return session_for(org, request, is_current=True)


def session_for(org: SalesforceOrg, request: SessionRequest, *, is_current: bool = False) -> IssuedSession:
    """Return a session for a registered org, with its current credential.

    `is_current` says that `org`, with its credential, was read after the client's request came in. Raises
    what open_session raises, except CredentialGone; OrgUnverified; OrgNotFound if the org was deleted meanwhile.
    """
    current = [org] if is_current else []
    return retry_when_gone(lambda: _session_for(current.pop() if current else _reload(org), request), request)


def _reload(org: SalesforceOrg) -> SalesforceOrg:
    current = SalesforceOrg.objects.with_related().filter(pk=org.pk).first()
    if current is None:
        raise OrgNotFound(org.username)
    return current


def _session_for(current: SalesforceOrg, request: SessionRequest) -> IssuedSession:
    credential = current.credential
    if credential is None:
        raise refuse_session(request, "CREDENTIAL_EXPIRED")
    if not current.org_id and not request.force:
        record_result(request, OrgUnverified.code)
        raise OrgUnverified(current.username)
    creator = _grant_creator(current, credential, request.by)
    match request_session(credential, replace(request, create_grant=creator), is_current=True):
        case IssuedSession() as issued:
            return issued
        case Gone():
            raise CredentialGone
        case Refused(error=error, is_fresh=is_fresh):
            if is_fresh and error.code == "CREDENTIAL_EXPIRED" and _was_refreshed(current, request.by):
                _record_sandbox_refresh(credential)
                raise refuse_session(request, "SANDBOX_REFRESHED") from error
            raise creator.explain(error) if creator else error


class ParentSessions:
    """Returns sessions of a parent org for one call: the newest stored one first, then fresh ones.

    Raises what session_for raises, with the parent as the subject of the error.
    """

    def __init__(self, parent: SalesforceOrg, by: Principal) -> None:
        self._parent = parent
        self._request = SessionRequest(by=by, target=parent.audit_target)
        self._tries_newest = True

    def __call__(self) -> Session:
        """Return a session."""
        try:
            newest = newest_session(self._parent) if self._tries_newest else None
            self._tries_newest = False
            return newest or session_for(self._parent, self._request).session
        except OrgError as error:
            error.subject = self._parent.username
            raise


def newest_session(org: SalesforceOrg) -> Session | None:
    """Return the newest session of an org's credential without a call; None if a permanent failure is on record.

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


# --- A refreshed sandbox with a grant of its own -----------------------------------------------------


def parent_of(sandbox: SalesforceOrg) -> SalesforceOrg | None:
    """Return the registered production org of a sandbox: the one it was registered through, or one of its My Domain."""
    if sandbox.parent is not None:
        return sandbox.parent
    host = host_of(sandbox.instance_url)
    candidates = SalesforceOrg.objects.filter(
        kind=Kind.PRODUCTION, instance_url__startswith=f"https://{my_domain(host)}."
    )
    found = candidates.exclude(org_id="").order_by("pk")
    return next((org for org in found if is_same_my_domain(host, host_of(org.instance_url))), None)


def _was_refreshed(org: SalesforceOrg, by: Principal) -> bool:
    """Return True if the parent reports that a sandbox, whose grant was just refused, was refreshed since."""
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
        return False  # Unknown: the refusal is reported as it is.
    return state is not None and state.org_id not in ("", org.org_id[:15])


def _record_sandbox_refresh(credential: Credential) -> None:
    """Store the sandbox refresh as the outcome, for the health and for later callers."""
    failure = BY_CODE["SANDBOX_REFRESHED"]
    rows = Credential.objects.filter(pk=credential.pk, outcome="CREDENTIAL_EXPIRED")
    rows.update(outcome=failure.code, health=failure.health, reason=failure.code)
