"""Updates the settings of a registered org, without a call to Salesforce."""

from authn import audit
from authn.principals import Principal
from orgs.errors import DefaultNeedsDevHub, OrgNotFound, UnverifiedDefault
from orgs.locks import org_write_transaction
from orgs.metadata import Metadata, write_metadata
from orgs.models import SalesforceOrg


def update_org(
    org: SalesforceOrg,
    *,
    by: Principal,
    is_dev_hub: bool | None = None,
    is_default: bool | None = None,
    member_frontdoor: bool | None = None,
    metadata: Metadata | None = None,
) -> SalesforceOrg:
    """Store the values that are given. None keeps a value; metadata is replaced as a whole.

    An org that is not a DevHub any longer is not the default either. Raises InvalidChange if an org would
    become the default that is not a DevHub or was not verified, and OrgNotFound if the org was deleted meanwhile.
    """
    given = {
        "isDevHub": is_dev_hub,
        "isDefault": is_default,
        "memberFrontdoor": member_frontdoor,
        "metadata": metadata,
    }
    changed = [name for name, value in given.items() if value is not None]
    with org_write_transaction():
        current = SalesforceOrg.objects.with_related().filter(pk=org.pk).first()
        if current is None:
            raise OrgNotFound(org.username)
        if not changed:
            return current
        set_dev_hub_flags(current, is_dev_hub=is_dev_hub, is_default=is_default)
        if member_frontdoor is not None:
            current.member_frontdoor = member_frontdoor
        if metadata is not None:
            current.metadata = metadata
            write_metadata(current, metadata)
        # Only these columns: a concurrent refresh may write the others.
        current.save(update_fields=["is_dev_hub", "is_default", "member_frontdoor", "metadata"])
        audit.record(audit.Action.ORG_CHANGED, audit.Outcome.GRANTED, by=by, org=current.username, fields=changed)
    return current


def set_dev_hub_flags(org: SalesforceOrg, *, is_dev_hub: bool | None, is_default: bool | None) -> None:
    """Set the two flags on a row without saving it, and clear the default flag of the org that has it.

    Call it in `org_write_transaction`, and save the row there. Raises InvalidChange.
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
        org.is_default = False
    if org.is_default:
        SalesforceOrg.objects.filter(is_default=True).exclude(pk=org.pk).update(is_default=False)
