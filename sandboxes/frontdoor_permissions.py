"""Decides which orgs a principal may open in a browser through a front-door link.

Owners and application tokens may open all. Members may open sandboxes, scratch orgs and assigned pool
instances; a production org or DevHub only if an owner allows it, because the session there is the
integration user's.
"""

from django.db.models import Q

from authn.principals import Principal
from orgs.models import Kind, SalesforceOrg
from sandboxes.errors import FrontdoorNotAllowed
from sandboxes.models import PoolInstance
from sandboxes.pools.access import registered_org
from sandboxes.pools.errors import InstanceExpired, InstanceProvisioning, PoolNotAssigned

# The registered orgs that a member may open. `require_org_access` is the same rule for one org.
OPEN_TO_MEMBERS = Q(member_frontdoor=True) | ~(Q(kind=Kind.PRODUCTION) | Q(is_dev_hub=True))


def require_org_access(org: SalesforceOrg, by: Principal) -> None:
    """Raise FrontdoorNotAllowed unless the principal may open a registered org."""
    if by.may_hold_credentials or org.member_frontdoor:
        return
    if org.kind == Kind.PRODUCTION or org.is_dev_hub:
        raise FrontdoorNotAllowed(org)


def require_instance_access(instance: PoolInstance, by: Principal) -> None:
    """Raise unless a pool instance can be opened, and by this principal.

    Raises InstanceExpired, InstanceProvisioning, PoolNotAssigned, FrontdoorNotAllowed.
    """
    if instance.status == PoolInstance.Status.EXPIRED:
        raise InstanceExpired(instance.name)
    if instance.status == PoolInstance.Status.PROVISIONING:
        raise InstanceProvisioning(instance.name)
    if instance.status == PoolInstance.Status.AVAILABLE and not by.may_hold_credentials:
        raise PoolNotAssigned(instance.name, target=instance.audit_target)
    if org := registered_org(instance):  # Also for an instance with its own credential: it is the same org.
        require_org_access(org, by)
