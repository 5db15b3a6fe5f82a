"""Bodies and parameters of on-demand access and front-door links. Names are those of the API contract."""

from rest_framework import serializers

from authn.serializers import QueryForm
from orgs.serializers import FilledMixin, UsernameField
from orgs.usernames import MAX_LENGTH
from sandboxes.fields import InstanceNameField, PageField, RepositoryField, SandboxNameField, ScratchUsernameField
from sandboxes.names import MAX_PAGE_LENGTH

# --- On-demand access --------------------------------------------------------------------------------


class SandboxRegistrationByNameDto(serializers.Serializer[object]):
    """A sandbox to register through its production org."""

    sandboxName = SandboxNameField(source="sandbox_name", max_length=MAX_LENGTH)
    productionUsername = UsernameField(source="production_username", max_length=MAX_LENGTH)


class SandboxAuthRequestDto(serializers.Serializer[object]):
    """A sandbox that is not registered."""

    sandboxName = SandboxNameField(source="sandbox_name", max_length=MAX_LENGTH)
    productionUsername = UsernameField(
        source="production_username",
        required=False,
        max_length=MAX_LENGTH,
        help_text="If omitted, all registered production orgs are searched.",
    )


class ParentOrgDto(serializers.Serializer[object]):
    """The production org or DevHub that gave access to the org."""

    username = serializers.CharField()
    instanceUrl = serializers.CharField(source="instance_url")
    orgId = serializers.CharField(source="org_id")


class SandboxAuthResponseDto(FilledMixin, serializers.Serializer[object]):
    """A session of a sandbox."""

    sandboxName = serializers.CharField()
    sandboxUsername = serializers.CharField()
    accessToken = serializers.CharField()
    instanceUrl = serializers.CharField()
    frontDoorUrl = serializers.CharField(help_text="A one-time link, or the instance URL if the org gives no link.")
    frontDoorError = serializers.CharField(required=False, help_text="Why the org gave no one-time link.")
    productionOrg = ParentOrgDto()


class ScratchOrgAuthRequestDto(serializers.Serializer[object]):
    """A scratch org that is not registered."""

    scratchOrgUsername = ScratchUsernameField(source="username", max_length=MAX_LENGTH)
    devhubUsername = UsernameField(
        source="dev_hub_username",
        required=False,
        max_length=MAX_LENGTH,
        help_text="If omitted, all registered DevHubs are searched.",
    )


class ScratchOrgAuthResponseDto(FilledMixin, serializers.Serializer[object]):
    """A session of a scratch org."""

    scratchOrgUsername = serializers.CharField()
    accessToken = serializers.CharField()
    instanceUrl = serializers.CharField()
    frontDoorUrl = serializers.CharField(help_text="A one-time link, or the instance URL if the org gives no link.")
    frontDoorError = serializers.CharField(required=False, help_text="Why the org gave no one-time link.")
    sfdxAuthUrl = serializers.CharField(
        required=False, help_text="Owners and application tokens only, unless the refresh token rotates."
    )
    orgId = serializers.CharField()
    devhubOrg = ParentOrgDto()


# --- Front-door links --------------------------------------------------------------------------------


class FrontdoorQuery(QueryForm):
    """The org to open, and how."""

    target = InstanceNameField(max_length=MAX_LENGTH, help_text="A username, sandbox name or pool instance name.")
    repository = RepositoryField(required=False, max_length=255, help_text="The repository of a pool instance.")
    prodOrg = UsernameField(
        required=False, max_length=MAX_LENGTH, help_text="The production org of a sandbox, or DevHub of a scratch org."
    )
    redirect = serializers.BooleanField(default=True, help_text="If false, return the link as JSON.")
    path = PageField(required=False, max_length=MAX_PAGE_LENGTH, help_text="The page of the org to open.")


class FrontdoorDto(serializers.Serializer[object]):
    """A one-time link, and the org that it opens."""

    frontDoorUrl = serializers.CharField(source="link")
    username = serializers.CharField()
    instanceUrl = serializers.CharField(source="instance_url")
    orgId = serializers.CharField(source="org_id")
