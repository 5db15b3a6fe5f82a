"""Updates the settings of a registered org, without a call to Salesforce."""

from functools import partial
from typing import TypedDict

from authn import audit
from authn.audit import Detail
from authn.database.shown_values import Values, differences
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
_FLAGS = ("is_dev_hub", "is_default", "member_frontdoor")


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
        before = flags_of(current)
        set_dev_hub_flags(current, is_dev_hub=changes.get("is_dev_hub"), is_default=changes.get("is_default"), by=by)
        if shown is not None and current.lost_default:
            raise DefaultWouldBeLost(current.username)
        for name in changed.keys() - {"is_dev_hub", "is_default"}:
            setattr(current, name, changed[name])
        if "metadata" in changed:
            write_metadata(current, current.metadata)
        # Only these columns: a concurrent refresh may write the others.
        current.save(update_fields=list(API_NAMES))
        record_changes(current, before, by, others=[name for name in changed if name not in _FLAGS])
    return current


def set_dev_hub_flags(org: SalesforceOrg, *, is_dev_hub: bool | None, is_default: bool | None, by: Principal) -> None:
    """Set the two flags on a row without saving it, and clear the default flag of the org that has it.

    Sets `lost_default` if the org loses the default flag because it is not a DevHub any longer. Call it in
    `org_write_transaction`, and save the row there. Raises InvalidChange.
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
    if org.is_default:
        _clear_other_default(org, by)


def flags_of(org: SalesforceOrg) -> dict[str, Detail]:
    """Return the settings of an org whose values the audit records, by their names in the API."""
    return {API_NAMES[name]: getattr(org, name) for name in _FLAGS}


def record_changes(
    org: SalesforceOrg, before: dict[str, Detail], by: Principal, *, others: list[str] | None = None
) -> None:
    """Record which settings of an org changed, and the flags among them from what to what.

    `others` are changed columns whose values the audit does not hold.
    """
    now = flags_of(org)
    flags = [name for name in now if now[name] != before[name]]
    fields = [*flags, *(API_NAMES[name] for name in others or ())]
    record = partial(audit.record, audit.Action.ORG_CHANGED, audit.Outcome.GRANTED, by=by, target=org.audit_target)
    if flags:
        old, new = ({flag: values[flag] for flag in flags} for values in (before, now))
        record(fields=fields, old=old, new=new)
    else:
        record(fields=fields)


def _clear_other_default(org: SalesforceOrg, by: Principal) -> None:
    other = SalesforceOrg.objects.filter(is_default=True).exclude(pk=org.pk).first()
    if other is not None:
        before = flags_of(other)
        other.is_default = False
        other.save(update_fields=["is_default"])
        record_changes(other, before, by)
