"""Updates the settings of a registered org, without a call to Salesforce."""

from typing import TypedDict

from authn import audit
from authn.database.shown_values import Values, differences
from authn.models import AuditEvent
from authn.principals import Principal
from orgs.errors import DefaultNeedsDevHub, DefaultWouldBeLost, OrgNotFound, UnverifiedDefault
from orgs.locks import org_write_transaction
from orgs.metadata import Metadata, write_metadata
from orgs.models import SalesforceOrg

# The names in the API and in the audit of the columns that can be updated.
API_NAMES = {
    "is_dev_hub": "isDevHub",
    "is_default": "isDefault",
    "member_frontdoor": "memberFrontdoor",
    "metadata": "metadata",
}


class OrgChanges(TypedDict, total=False):
    """New values of an org's settings. Metadata is replaced as a whole."""

    is_dev_hub: bool
    is_default: bool
    member_frontdoor: bool
    metadata: Metadata


def update_org(org: SalesforceOrg, changes: OrgChanges, *, by: Principal, shown: Values | None = None) -> SalesforceOrg:
    """Store the values that are given, and return the org as it is then.

    An org that is not a DevHub any longer is not the default either; `lost_default` of the returned org says so.
    `shown` has the values that a form showed: then ChangedMeanwhile is raised if a value to be changed is no longer
    the shown one, and DefaultWouldBeLost unless the default is given up as well. Raises InvalidChange if an org would
    become the default that is not a DevHub or was not verified, and OrgNotFound if the org was deleted meanwhile.
    """
    with org_write_transaction():
        current = SalesforceOrg.objects.with_related().filter(pk=org.pk).first()
        if current is None:
            raise OrgNotFound(org.username)
        if not changes:
            return current
        changed = differences(current, changes, shown)
        before = audited_settings(current)
        former_default = set_dev_hub_flags(
            current, is_dev_hub=changes.get("is_dev_hub"), is_default=changes.get("is_default")
        )
        if shown is not None and current.lost_default:
            raise DefaultWouldBeLost(current.username)
        for name in changed.keys() - {"is_dev_hub", "is_default"}:
            setattr(current, name, changed[name])
        if "metadata" in changed:
            write_metadata(current, current.metadata)
        # Only these columns: a concurrent refresh may write the others.
        current.save(update_fields=list(API_NAMES))
        audit.record_all([_change_event(current, before, by), *lost_default_events(former_default, by)])
    return current


def audited_settings(org: SalesforceOrg) -> dict[str, object]:
    """Return what the audit compares before and after a change of an org."""
    settings = {api_name: getattr(org, name) for name, api_name in API_NAMES.items()}
    return {"username": org.username, "orgId": org.org_id, **settings}


def lost_default_events(org: SalesforceOrg | None, by: Principal) -> list[AuditEvent]:
    """Return the audit row of the org that was the default DevHub before; none for None."""
    return [_change_event(org, {**audited_settings(org), "isDefault": True}, by)] if org else []


def _change_event(org: SalesforceOrg, before: dict[str, object], by: Principal) -> AuditEvent:
    changes = audit.changes(before, audited_settings(org))
    return audit.event(audit.Action.ORG_CHANGED, audit.Outcome.GRANTED, by=by, target=org.audit_target, changes=changes)


def set_dev_hub_flags(org: SalesforceOrg, *, is_dev_hub: bool | None, is_default: bool | None) -> SalesforceOrg | None:
    """Set the two flags on a row without saving it, and clear the default flag of the org that has it.

    Returns that org, or None. Sets `lost_default` if the org loses the default flag because it is not a DevHub any
    longer. Call it in `org_write_transaction`, and save the row there. Raises InvalidChange.
    """
    if is_dev_hub is not None:
        org.is_dev_hub = is_dev_hub
    if is_default is not None:
        org.is_default = is_default
    if is_default and not org.is_dev_hub:
        raise DefaultNeedsDevHub
    if is_default and not org.org_id:
        raise UnverifiedDefault
    if not org.is_dev_hub:
        org.lost_default = org.is_default
        org.is_default = False
    former = SalesforceOrg.objects.filter(is_default=True).exclude(pk=org.pk).first() if org.is_default else None
    if former is not None:
        former.is_default = False
        former.save(update_fields=["is_default"])
    return former
