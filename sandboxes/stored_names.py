"""Names of orgs that are stored somewhere on this desk. A look-up accepts them whatever their syntax."""

from django.db.models import Q

from orgs.lookup import is_registered
from orgs.usernames import may_be_stored
from sandboxes.models import OnDemandGrant, PoolInstance


def is_stored(name: str) -> bool:
    """Return True if a registered org, a pool instance or a grant has this name or username, case-insensitively."""
    if not may_be_stored(name):
        return False
    return (
        is_registered(name)
        or PoolInstance.objects.filter(Q(name__iexact=name) | Q(username__iexact=name)).exists()
        or is_scratch_org_in_use(name)
    )


def is_scratch_org_in_use(username: str) -> bool:
    """Return True if a scratch org of this username was reached on demand, and its grant is kept."""
    return "@" in username and OnDemandGrant.objects.filter(name=username.strip().lower()).exists()
