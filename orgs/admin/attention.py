"""Filters for credentials that need an owner, and for those whose last refresh failed."""

from django.db.models import Q

from orgs.credentials.errors import (
    CredentialRefused,
    SalesforceLimited,
    SalesforceRefused,
    SalesforceTimedOut,
    SalesforceUnavailable,
)
from orgs.credentials.failures import BY_CODE
from orgs.credentials.models import Health
from orgs.credentials.outcome_storage import HOST_NOT_FOUND
from orgs.credentials.ownership import owner_types

# Failures that do not pass by themselves: an owner or an operator must act.
_NEEDS_ACTION = [
    HOST_NOT_FOUND,
    *(code for code, failure in BY_CODE.items() if issubclass(failure.raises, CredentialRefused | SalesforceRefused)),
]
# Failures that pass by themselves. Not all of them change the health: an outage says nothing of a credential.
_TEMPORARY = [
    code
    for code, failure in BY_CODE.items()
    if issubclass(failure.raises, SalesforceUnavailable | SalesforceLimited | SalesforceTimedOut)
    and code != HOST_NOT_FOUND
]


def needs_attention(*, include_unverified: bool) -> Q:
    """Return the filter for rows whose credential stays unusable until an owner or operator acts."""
    states = [Health.EXPIRED, Health.UNVERIFIED] if include_unverified else [Health.EXPIRED]
    failing = Q(credential__health=Health.FAILING, credential__reason__in=_NEEDS_ACTION)
    return Q(credential__health__in=states) | failing


def org_needs_owner() -> Q:
    """Return the filter for orgs whose credential is missing or stays unusable until an owner or operator acts."""
    return Q(credential=None) | needs_attention(include_unverified=True)


def last_refresh_failed(prefix: str = "") -> Q:
    """Return the filter for credentials whose last refresh failed in a way that passes by itself.

    `prefix` leads to the credential, such as "credential__" from an org.
    """
    failed = Q(**{f"{prefix}outcome__in": _TEMPORARY}) | Q(**{f"{prefix}health": Health.UNCERTAIN})
    failed |= Q(**{f"{prefix}health": Health.FAILING, f"{prefix}reason__in": _TEMPORARY})
    return failed & ~Q(**{f"{prefix}health__in": [Health.EXPIRED, Health.UNVERIFIED]})


def is_stored_for_an_org() -> Q:
    """Return the filter for credentials of registered orgs and pool instances: not of orgs on demand, nor orphans."""
    owned = Q()
    for owner in owner_types():
        if owner.blocks_deletion:
            owned |= Q(**{f"{owner.accessor}__isnull": False})
    return owned
