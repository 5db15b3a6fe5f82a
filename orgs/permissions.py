"""Which roles may call which method of the Orgs API. docs/api.md holds the same table."""

from collections.abc import Mapping

from authn.permissions import MembersAndApplications, OwnersAndApplications, OwnersOnly, RequiresRole

ORG_PERMISSIONS: Mapping[str, type[RequiresRole]] = {
    "list": MembersAndApplications,
    "retrieve": MembersAndApplications,
    "default_dev_hub": MembersAndApplications,
    "test_connection": OwnersAndApplications,
    "access_token": OwnersAndApplications,
    "default_dev_hub_access_token": OwnersAndApplications,
    "register": OwnersOnly,
    "partial_update": OwnersOnly,
    "destroy": OwnersOnly,
}
