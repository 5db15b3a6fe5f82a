"""Finds a registered org by its username or sandbox name, or as the default DevHub."""

from orgs.errors import AmbiguousSandbox, NoDefaultDevHub, OrgNotFound
from orgs.models import SalesforceOrg


def find_org(identifier: str) -> SalesforceOrg:
    """Return the org with this username, else the sandbox with this name, case-insensitively.

    Raises OrgNotFound, and AmbiguousSandbox if several sandboxes have this name.
    """
    orgs = SalesforceOrg.objects.with_related()
    if org := orgs.with_username(identifier).first():
        return org
    namesakes = list(orgs.with_sandbox_name(identifier)) if identifier.strip() else []
    if not namesakes:
        raise OrgNotFound(identifier)
    if len(namesakes) > 1:
        raise AmbiguousSandbox(identifier, [org.username for org in namesakes])
    return namesakes[0]


def default_dev_hub() -> SalesforceOrg:
    """Return the default DevHub. Raises NoDefaultDevHub."""
    org = SalesforceOrg.objects.with_related().filter(is_default=True).first()
    if org is None:
        raise NoDefaultDevHub
    return org
