"""Stores the grants of sandboxes and scratch orgs that are not registered."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from orgs.credentials import Credential, unlocked
from orgs.models import SalesforceOrg
from sandboxes.models import OnDemandGrant

IDLE = timedelta(days=30)
_MAX_TRIES = 3


def grant_for(parent: SalesforceOrg, name: str) -> tuple[OnDemandGrant, Credential]:
    """Return the row of a sandbox or scratch org, and its credential; create an empty one if there is none."""
    name = name.strip().lower()
    for _ in range(_MAX_TRIES):
        grant = OnDemandGrant.objects.filter(parent=parent, name=name).select_related("credential").first()
        if grant is not None and grant.credential is not None:
            return grant, grant.credential
        try:
            with transaction.atomic():
                credential = Credential.objects.create(sealed_grant=None)
                if grant is None:
                    return OnDemandGrant.objects.create(parent=parent, name=name, credential=credential), credential
                # A registration has taken the previous credential.
                if OnDemandGrant.objects.filter(pk=grant.pk, credential=None).update(credential=credential, org_id=""):
                    return grant, credential
                credential.delete()
        except IntegrityError:
            continue  # Another caller created the row at this moment.
    raise RuntimeError("A grant was created and deleted three times in a row.")


def touch(grant: OnDemandGrant) -> None:
    """Record that a grant was used now."""
    OnDemandGrant.objects.filter(pk=grant.pk).update(last_used_at=Now())


def drop_if_empty(credential: Credential) -> None:
    """Delete a credential that never had a grant, and its row, so that wrong names leave nothing behind."""
    with transaction.atomic():
        rows = Credential.objects.select_for_update(of=("self",)).filter(unlocked(), pk=credential.pk)
        row = rows.filter(sealed_grant__isnull=True, on_demand_grant__org_id="").first()
        if row is not None:
            OnDemandGrant.objects.filter(credential=row).delete()
            row.delete()


def drop_idle_grants() -> int:
    """Delete the rows that were not used for 30 days. Returns their number.

    Their credentials then have no owner; the sweep of orphans revokes and deletes them.
    """
    idle = OnDemandGrant.objects.filter(last_used_at__lt=Now() - IDLE)
    deleted, _ = idle.delete()
    return deleted
