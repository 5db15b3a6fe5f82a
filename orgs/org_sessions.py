"""Gives a session for a registered org, whichever way its key is had.

Most orgs have a key that an owner brought. One that was registered by its sandbox name has a key
that was made through its parent, and is made again when Salesforce refuses it.
"""

from dataclasses import replace
from functools import partial

from authn.actors import Actor
from orgs.asking import Asking
from orgs.endings import BY_CODE
from orgs.envelopes import open_session_of
from orgs.errors import CredentialRefused, KeyNotMade, OrgNotFound, OrgsError, OrgUnverified
from orgs.minting import audit_handing_out
from orgs.models import Credential, SalesforceOrg
from orgs.organization_kinds import Kind
from orgs.questions import ask_with_session
from orgs.salesforce import Session, host_of, my_domain
from orgs.sandbox_keys import SandboxKeyMaker
from orgs.sessions import CredentialGone, Opened, open_session, refusal_on_record, refuse


def session_for(org: SalesforceOrg, asking: Asking) -> Opened:
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
            raise refuse(asking, "CREDENTIAL_EXPIRED")
        if not current.org_id and not asking.ask_again:
            audit_handing_out(asking, OrgUnverified.code)
            raise OrgUnverified(org.username)
        maker = _key_maker(current, credential, asking.by)
        try:
            return open_session(credential, replace(asking, make_key=maker))
        except CredentialGone:
            continue
        except CredentialRefused as error:
            if error.is_news and error.code == "CREDENTIAL_EXPIRED" and _was_refreshed(current, asking.by):
                _note_refresh(credential)
                raise refuse(asking, "SANDBOX_REFRESHED") from error
            raise
        except KeyNotMade as error:
            raise (maker.named(error) if maker else error) from error
    raise refuse(asking, "REFRESH_IN_PROGRESS")


class ParentSessions:
    """Gives sessions of a parent for one question: the newest that it has, then, when that was refused, a fresh one.

    Raises what session_for raises, with the parent's name before the message.
    """

    def __init__(self, parent: SalesforceOrg, by: Actor) -> None:
        self._parent = parent
        self._asking = Asking(by=by, org=parent.username)
        self._newest_is_good = True

    def __call__(self) -> Session:
        """Return a session."""
        try:
            newest = newest_session(self._parent) if self._newest_is_good else None
            self._newest_is_good = False
            return newest or session_for(self._parent, self._asking).session
        except OrgsError as error:
            error.args = (f"{self._parent.username}: {error}",)
            raise


def newest_session(org: SalesforceOrg) -> Session | None:
    """Return the session that an org's key gave last, without a call; None when it is known to be no good.

    Raises CredentialTampered.
    """
    row = Credential.objects.with_secrets().filter(org=org).first()
    return None if row is None or refusal_on_record(row) else open_session_of(row)


def _key_maker(org: SalesforceOrg, credential: Credential, by: Actor) -> SandboxKeyMaker | None:
    if not org.is_jit_registration or org.parent is None:
        return None
    return SandboxKeyMaker(
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


def _was_refreshed(org: SalesforceOrg, by: Actor) -> bool:
    """Ask the parent of a sandbox whose key was just refused whether the sandbox is another org by now."""
    parent = parent_of(org) if org.kind == Kind.SANDBOX and org.sandbox_name else None
    if parent is None or parent.credential_id is None:
        return False
    try:
        _, state = ask_with_session(
            parent.credential_id,
            ParentSessions(parent, by),
            lambda salesforce, session: salesforce.sandbox_state(session, org.sandbox_name),
        )
    except OrgsError:
        return False  # What is not known is not told.
    return state is not None and state.org_id not in ("", org.org_id[:15])


def _note_refresh(credential: Credential) -> None:
    """Keep on record what the parent told, for the health and for those who ask later."""
    ending = BY_CODE["SANDBOX_REFRESHED"]
    rows = Credential.objects.filter(pk=credential.pk, outcome="CREDENTIAL_EXPIRED")
    rows.update(outcome=ending.code, health=ending.health, reason=ending.code)
