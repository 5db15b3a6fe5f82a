"""Finds the registered org that a caller means."""

from orgs.errors import AmbiguousSandbox, NoDefaultDevHub, OrgNotFound
from orgs.models import SalesforceOrg


def find_org(identifier: str) -> SalesforceOrg:
    """Return the org of this username or, when there is none, of this sandbox name; case is ignored.

    Raises OrgNotFound, and AmbiguousSandbox when sandboxes of several orgs share the name.
    """
    orgs = SalesforceOrg.objects.for_answers()
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
    org = SalesforceOrg.objects.for_answers().filter(is_default=True).first()
    if org is None:
        raise NoDefaultDevHub
    return org
