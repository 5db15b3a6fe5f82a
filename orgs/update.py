"""Changes what an owner says of an org. Salesforce is not asked."""

from typing import Any

from authn import audit
from authn.principals import Principal
from orgs.errors import InvalidChange, OrgNotFound
from orgs.locks import one_org_writer
from orgs.metadata import write_metadata
from orgs.models import SalesforceOrg


def update_org(
    org: SalesforceOrg,
    *,
    by: Principal,
    is_dev_hub: bool | None = None,
    is_default: bool | None = None,
    member_frontdoor: bool | None = None,
    metadata: dict[str, Any] | None = None,
) -> SalesforceOrg:
    """Store new values of what is given; None keeps a value, and metadata is replaced whole.

    An org that is no DevHub any more is not the default either. Raises InvalidChange when an org
    that is no DevHub, or was never verified, would become the default; OrgNotFound when the org
    was deleted meanwhile.
    """
    given = {
        "isDevHub": is_dev_hub,
        "isDefault": is_default,
        "memberFrontdoor": member_frontdoor,
        "metadata": metadata,
    }
    changed = [name for name, value in given.items() if value is not None]
    with one_org_writer():
        current = SalesforceOrg.objects.for_answers().filter(pk=org.pk).first()
        if current is None:
            raise OrgNotFound(org.username)
        if not changed:
            return current
        mark_dev_hub(current, is_dev_hub=is_dev_hub, is_default=is_default)
        if member_frontdoor is not None:
            current.member_frontdoor = member_frontdoor
        if metadata is not None:
            current.metadata = metadata
            write_metadata(current, metadata)
        # These columns alone: a refresh under way may write the others.
        current.save(update_fields=["is_dev_hub", "is_default", "member_frontdoor", "metadata"])
        audit.record(audit.Action.ORG_CHANGED, audit.Outcome.GRANTED, by=by, org=current.username, fields=changed)
    return current


def mark_dev_hub(org: SalesforceOrg, *, is_dev_hub: bool | None, is_default: bool | None) -> None:
    """Set the two marks on an unsaved row, and take the default from whichever org has it.

    Call it under `one_org_writer`, and save the row in the same transaction. Raises InvalidChange.
    """
    if is_dev_hub is not None:
        org.is_dev_hub = is_dev_hub
    if is_default is not None:
        org.is_default = is_default
    if is_default and not org.is_dev_hub:
        raise default_needs_dev_hub()
    if is_default and not org.org_id:
        raise InvalidChange(
            "UNVERIFIED_DEFAULT",
            "An org that was never verified cannot be the default DevHub.",
            "Test its connection first: POST /sfp/api/auth/salesforce/test-connection?username=...",
        )
    if not org.is_dev_hub:
        org.is_default = False
    if org.is_default:
        SalesforceOrg.objects.filter(is_default=True).exclude(pk=org.pk).update(is_default=False)


def default_needs_dev_hub() -> InvalidChange:
    """Return the error of making an org the default DevHub that is none."""
    return InvalidChange(
        "DEFAULT_NEEDS_DEVHUB",
        "Only a DevHub can be the default DevHub.",
        "Send isDevHub=true as well, if this org is a DevHub.",
    )
