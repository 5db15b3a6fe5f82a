"""Sessions of pool instances, by the credential that reaches the instance's org."""

from collections.abc import Callable
from functools import partial

from django.db.models import Q

from authn import audit
from authn.principals import Principal
from orgs.credentials import Credential, SessionRequest, error_for, open_session, retry_when_gone
from orgs.models import SalesforceOrg
from orgs.salesforce import Session
from sandboxes.models import PoolInstance
from sandboxes.on_demand.org_session import OrgSession, registered_session
from sandboxes.on_demand.sandbox import registered_sandbox, sandbox_or_registered_session
from sandboxes.on_demand.scratch import scratch_session
from sandboxes.on_demand.scratch_records import find_scratch_org
from sandboxes.pools.errors import InstanceUnreachable


def instance_session(
    instance: PoolInstance,
    *,
    by: Principal,
    audit_action: audit.Action | None = None,
    require_access: Callable[[SalesforceOrg], None] = lambda _: None,
) -> OrgSession:
    """Return a session of a pool instance's org.

    By the instance's own credential, else as a registered org, else through its production org or DevHub.
    `audit_action` is the action under which the audit records the token. `require_access` raises if the caller
    may not use a registered org; it is called if only Salesforce could show that the instance is one. Raises OrgError.
    """
    if instance.credential_id is not None:
        org_session = _own_session(instance, by, audit_action)
    elif org := registered_org(instance):
        org_session = registered_session(org, by=by, audit_action=audit_action)
    elif instance.parent is None:
        raise InstanceUnreachable(instance.name)
    elif instance.type == PoolInstance.Type.SANDBOX:
        org_session = sandbox_or_registered_session(
            [instance.parent], instance.name, by=by, require_access=require_access, audit_action=audit_action
        )
    else:
        scratch = find_scratch_org(instance.username, [instance.parent], by=by)
        org_session = scratch_session(scratch, by=by, audit_action=audit_action)
    _update_details(instance, org_session)
    return org_session


def registered_org(instance: PoolInstance) -> SalesforceOrg | None:
    """Return the registered org that a pool instance is, None if it is not registered."""
    same_org = Q(org_id=instance.org_id) if instance.org_id else Q(pk=None)
    if instance.username:
        same_org |= Q(username_key=instance.username.lower())
    org = SalesforceOrg.objects.with_related().filter(same_org).first()
    if org is None and instance.type == PoolInstance.Type.SANDBOX and instance.parent is not None:
        return registered_sandbox(instance.name, instance.parent)
    return org


def _own_session(instance: PoolInstance, by: Principal, audit_action: audit.Action | None) -> OrgSession:
    request = SessionRequest(by=by, target=instance.audit_target, audit_action=audit_action)

    def work() -> OrgSession:
        credential = Credential.objects.filter(pool_instance=instance).first()
        if credential is None:
            raise error_for("REFRESH_IN_PROGRESS")  # A registration has just taken it.
        issued = open_session(credential, request)
        refresh = partial(_refresh, instance, by)
        return OrgSession(
            instance.username, issued.session, credential.pk, refresh, instance.audit_target, issued.reused
        )

    return retry_when_gone(work)


def _refresh(instance: PoolInstance, by: Principal) -> Session:
    return instance_session(instance, by=by).session


def _update_details(instance: PoolInstance, org_session: OrgSession) -> None:
    """Store what Salesforce returned of an org without a credential of its own; it replaces what an owner entered."""
    session = org_session.session
    details = (org_session.username or instance.username, session.org_id, session.instance_url)
    if details == (instance.username, instance.org_id, instance.instance_url) or instance.credential_id is not None:
        return
    instance.username, instance.org_id, instance.instance_url = details
    is_taken = PoolInstance.objects.filter(username__iexact=instance.username).exclude(pk=instance.pk).exists()
    fields = ["org_id", "instance_url"] if is_taken else ["username", "org_id", "instance_url"]
    instance.save(update_fields=fields)
