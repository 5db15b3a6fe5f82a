"""The rows of keys that were made on demand: made empty, kept while they are used, dropped when idle."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from orgs.credentials import Credential
from orgs.models import SalesforceOrg
from sandboxes.models import OnDemandGrant

IDLE = timedelta(days=30)


def grant_for(parent: SalesforceOrg, name: str) -> tuple[OnDemandGrant, Credential]:
    """Return the row for a sandbox or scratch org with its credential, made empty if there is none."""
    key = name.strip().lower()
    for _ in range(3):
        grant = OnDemandGrant.objects.filter(parent=parent, name=key).select_related("credential").first()
        if grant is not None and grant.credential is not None:
            return grant, grant.credential
        try:
            with transaction.atomic():
                credential = Credential.objects.create(sealed_grant=None)
                if grant is None:
                    return OnDemandGrant.objects.create(parent=parent, name=key, credential=credential), credential
                # A registration has taken the former one.
                if OnDemandGrant.objects.filter(pk=grant.pk, credential=None).update(credential=credential, org_id=""):
                    return grant, credential
                credential.delete()
        except IntegrityError:
            continue  # Another has made it at this moment.
    raise RuntimeError("A grant was made and deleted three times over.")


def touch(grant: OnDemandGrant) -> None:
    """Note that a grant was used."""
    OnDemandGrant.objects.filter(pk=grant.pk).update(last_used_at=Now())


def drop_if_empty(credential: Credential) -> None:
    """Delete the row of a key that could never be made, so that wrong names leave nothing behind."""
    with transaction.atomic():
        idle = Q(locked_until=None) | Q(locked_until__lte=Now())
        rows = Credential.objects.select_for_update(of=("self",)).filter(idle, pk=credential.pk)
        row = rows.filter(sealed_grant__isnull=True, on_demand_grant__org_id="").first()
        if row is not None:
            OnDemandGrant.objects.filter(credential=row).delete()
            row.delete()


def drop_idle_grants() -> int:
    """Delete grants that nobody used for 30 days; their keys are revoked as those that nobody owns are."""
    idle = OnDemandGrant.objects.filter(last_used_at__lt=Now() - IDLE)
    deleted, _ = idle.delete()
    return deleted
