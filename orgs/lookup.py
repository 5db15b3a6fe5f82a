"""Finds a registered org by its username or sandbox name, or as the default DevHub."""

from orgs.errors import AmbiguousSandbox, NoDefaultDevHub, OrgNotFound
from orgs.models import SalesforceOrg
from orgs.usernames import is_username_like, may_be_stored


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


def is_registered(name: str) -> bool:
    """Return True if a registered org has this username or sandbox name, case-insensitively."""
    orgs = SalesforceOrg.objects
    return may_be_stored(name) and (orgs.with_username(name).exists() or orgs.with_sandbox_name(name).exists())


def is_name(text: str) -> bool:
    """Return True for the syntax of a username or sandbox name, and for every name that is registered."""
    return is_username_like(text) or is_registered(text)


def default_dev_hub() -> SalesforceOrg:
    """Return the default DevHub. Raises NoDefaultDevHub."""
    org = SalesforceOrg.objects.with_related().filter(is_default=True).first()
    if org is None:
        raise NoDefaultDevHub
    return org
