"""Bodies and parameters of on-demand access and front-door links. Names are those of the API contract."""

from rest_framework import serializers

from authn.serializers import QueryForm
from orgs.serializer_fields import FilledMixin, UsernameField
from orgs.usernames import MAX_LENGTH
from sandboxes.fields import InstanceNameField, PageField, RepositoryField, SandboxNameField, ScratchUsernameField
from sandboxes.names import MAX_PAGE_LENGTH

# --- On-demand access --------------------------------------------------------------------------------


class SandboxRegistrationByNameDto(serializers.Serializer[object]):
    """A sandbox to register through its production org."""

    sandboxName = SandboxNameField(source="sandbox_name", max_length=MAX_LENGTH, help_text="The name of the sandbox.")
    productionUsername = UsernameField(
        source="production_username", max_length=MAX_LENGTH, help_text="The username of its registered production org."
    )


class SandboxAuthRequestDto(serializers.Serializer[object]):
    """A sandbox that is not registered."""

    sandboxName = SandboxNameField(source="sandbox_name", max_length=MAX_LENGTH, help_text="The name of the sandbox.")
    productionUsername = UsernameField(
        source="production_username",
        required=False,
        max_length=MAX_LENGTH,
        help_text="If omitted, all registered production orgs are searched.",
    )


class ParentOrgDto(serializers.Serializer[object]):
    """The production org or DevHub that gave access to the org."""

    username = serializers.CharField(help_text="Its username.")
    instanceUrl = serializers.CharField(source="instance_url", help_text="The URL of its instance.")
    orgId = serializers.CharField(source="org_id", help_text="Its org id.")


class SandboxAuthResponseDto(FilledMixin, serializers.Serializer[object]):
    """A session of a sandbox."""

    sandboxName = serializers.CharField(help_text="The name of the sandbox, as requested.")
    sandboxUsername = serializers.CharField(help_text="The username of the session.")
    accessToken = serializers.CharField(help_text="The access token, to send as bearer to the instance.")
    instanceUrl = serializers.CharField(help_text="The URL of the instance that accepts the token.")
    frontDoorUrl = serializers.CharField(help_text="A one-time link, or the instance URL if the org gives no link.")
    frontDoorError = serializers.CharField(required=False, help_text="Why the org gave no one-time link.")
    productionOrg = ParentOrgDto(help_text="The production org of the sandbox.")


class ScratchOrgAuthRequestDto(serializers.Serializer[object]):
    """A scratch org that is not registered."""

    scratchOrgUsername = ScratchUsernameField(
        source="username", max_length=MAX_LENGTH, help_text="The username of the scratch org."
    )
    devhubUsername = UsernameField(
        source="dev_hub_username",
        required=False,
        max_length=MAX_LENGTH,
        help_text="If omitted, all registered DevHubs are searched.",
    )


class ScratchOrgAuthResponseDto(FilledMixin, serializers.Serializer[object]):
    """A session of a scratch org."""

    scratchOrgUsername = serializers.CharField(help_text="The username of the session.")
    accessToken = serializers.CharField(help_text="The access token, to send as bearer to the instance.")
    instanceUrl = serializers.CharField(help_text="The URL of the instance that accepts the token.")
    frontDoorUrl = serializers.CharField(help_text="A one-time link, or the instance URL if the org gives no link.")
    frontDoorError = serializers.CharField(required=False, help_text="Why the org gave no one-time link.")
    sfdxAuthUrl = serializers.CharField(
        required=False, help_text="Owners and application tokens only, unless the refresh token rotates."
    )
    orgId = serializers.CharField(help_text="The id of the org.")
    devhubOrg = ParentOrgDto(help_text="The DevHub of the scratch org.")


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

    frontDoorUrl = serializers.CharField(source="link", help_text="The link. It works once, within about a minute.")
    username = serializers.CharField(help_text="The username of the session.")
    instanceUrl = serializers.CharField(source="instance_url", help_text="The URL of the instance.")
    orgId = serializers.CharField(source="org_id", help_text="The id of the org.")
