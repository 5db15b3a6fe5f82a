"""Which roles may call which method of the pools API. docs/api.md holds the same table."""

from collections.abc import Mapping

from authn.permissions import MembersAndApplications, OwnersAndApplications, OwnersOnly, RequiresRole

POOL_PERMISSIONS: Mapping[str, type[RequiresRole]] = {
    "list_instances": MembersAndApplications,
    "fetch": OwnersAndApplications,
    "unassign": OwnersAndApplications,
    "create": OwnersOnly,
    "destroy": OwnersOnly,
}
