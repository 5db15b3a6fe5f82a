"""Opens a pool instance, by whichever key reaches its org."""

from collections.abc import Callable
from functools import partial

from django.db.models import Q

from authn import audit
from authn.principals import Principal
from orgs.credentials import Credential, SessionRequest, error_for, open_session, retry_when_gone
from orgs.errors import InvalidRequest
from orgs.models import SalesforceOrg
from orgs.org_sessions import session_for
from orgs.salesforce import Session
from sandboxes.errors import AlreadyRegistered
from sandboxes.models import PoolInstance
from sandboxes.on_demand.org_session import OrgSession
from sandboxes.on_demand.sandbox import registered_sandbox, sandbox_session
from sandboxes.on_demand.scratch import find_scratch_org, scratch_session


def instance_session(
    instance: PoolInstance,
    *,
    by: Principal,
    action: audit.Action | None = None,
    admit: Callable[[SalesforceOrg], None] = lambda _: None,
) -> OrgSession:
    """Return a fresh session of a pool instance's org.

    By the instance's own key, else as a registered org, else through its production org or DevHub.
    `action` is what the audit calls what is handed out. `admit` raises if a registered org may not
    be opened; it is asked where only Salesforce could tell that the instance is one. Raises OrgError.
    """
    if instance.credential_id is not None:
        opened = _own_session(instance, by, action)
    elif org := registered_org(instance):
        opened = registered_session(org, by=by, action=action)
    elif instance.parent is None:
        raise InvalidRequest(
            "POOL_INSTANCE_WITHOUT_KEY",
            f"The pool instance {instance.name} has neither a key of its own nor an org that it is reached through.",
            "An owner must remove it, and add it again with sfdxAuthUrl or parentUsername.",
        )
    elif instance.type == PoolInstance.Type.SANDBOX:
        try:
            opened = sandbox_session(instance.parent, instance.name, by=by, audit_action=action)
        except AlreadyRegistered as refusal:
            admit(refusal.org)
            opened = registered_session(refusal.org, by=by, action=action)
    else:
        scratch = find_scratch_org(instance.username, [instance.parent], by=by)
        opened = scratch_session(scratch, by=by, action=action)
    _update_facts(instance, opened)
    return opened


def registered_org(instance: PoolInstance) -> SalesforceOrg | None:
    """Return the registered org that a pool instance is, if it is one."""
    is_it = Q(org_id=instance.org_id) if instance.org_id else Q(pk=None)
    if instance.username:
        is_it |= Q(username_key=instance.username.lower())
    org = SalesforceOrg.objects.for_answers().filter(is_it).first()
    if org is None and instance.type == PoolInstance.Type.SANDBOX and instance.parent is not None:
        return registered_sandbox(instance.name, instance.parent)
    return org


def registered_session(org: SalesforceOrg, *, by: Principal, action: audit.Action | None = None) -> OrgSession:
    """Return a fresh session of a registered org."""
    opened = session_for(org, SessionRequest(by=by, org=org.username, audit_action=action))
    # session_for has just used it; a registration may have put another in its place since.
    credential_id = SalesforceOrg.objects.values_list("credential_id", flat=True).get(pk=org.pk)
    if credential_id is None:
        raise error_for("REFRESH_IN_PROGRESS")
    reopen = partial(_reopen_registered, org, by)
    return OrgSession(org.username, opened.session, credential_id, reopen, opened.reused)


def _reopen_registered(org: SalesforceOrg, by: Principal) -> Session:
    return session_for(org, SessionRequest(by=by, org=org.username)).session


def _own_session(instance: PoolInstance, by: Principal, action: audit.Action | None) -> OrgSession:
    request = SessionRequest(by=by, org=str(instance), audit_action=action)

    def work() -> OrgSession:
        credential = Credential.objects.filter(pool_instance=instance).first()
        if credential is None:
            raise error_for("REFRESH_IN_PROGRESS")  # A registration has just taken it.
        issued = open_session(credential, request)
        reopen = partial(_reopen, instance, by)
        return OrgSession(instance.username, issued.session, credential.pk, reopen, issued.reused)

    return retry_when_gone(work)


def _reopen(instance: PoolInstance, by: Principal) -> Session:
    return instance_session(instance, by=by).session


def _update_facts(instance: PoolInstance, opened: OrgSession) -> None:
    """Note what Salesforce told of the org. A key that was made says more than whoever added the instance."""
    session = opened.session
    known = (opened.username or instance.username, session.org_id, session.instance_url)
    if known == (instance.username, instance.org_id, instance.instance_url) or instance.credential_id is not None:
        return
    instance.username, instance.org_id, instance.instance_url = known
    taken = PoolInstance.objects.filter(username__iexact=instance.username).exclude(pk=instance.pk).exists()
    fields = ["org_id", "instance_url"] if taken else ["username", "org_id", "instance_url"]
    instance.save(update_fields=fields)
