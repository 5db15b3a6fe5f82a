"""The bodies and parameters of keys on demand and front doors, named as the contract names them."""

from typing import Any

from rest_framework import serializers

from authn.serializers import QueryForm
from orgs.serializers import FilledMixin, UsernameField
from orgs.usernames import MAX_LENGTH
from sandboxes.fields import InstanceNameField, PageField, RepositoryField, SandboxNameField, ScratchUsernameField
from sandboxes.names import MAX_PAGE_LENGTH

# --- Keys on demand ----------------------------------------------------------------------------------


class SandboxRegistrationByNameDto(serializers.Serializer[Any]):
    """A sandbox to register without a key of its own."""

    sandboxName = SandboxNameField(source="sandbox_name", max_length=MAX_LENGTH)
    productionUsername = UsernameField(source="production_username", max_length=MAX_LENGTH)


class SandboxAuthRequestDto(serializers.Serializer[Any]):
    """A sandbox that nobody registered."""

    sandboxName = SandboxNameField(source="sandbox_name", max_length=MAX_LENGTH)
    productionUsername = UsernameField(
        source="production_username",
        required=False,
        max_length=MAX_LENGTH,
        help_text="Without it, all registered production orgs are asked.",
    )


class ParentOrgDto(serializers.Serializer[Any]):
    """The production org or DevHub that an org was reached through."""

    username = serializers.CharField()
    instanceUrl = serializers.CharField(source="instance_url")
    orgId = serializers.CharField(source="org_id")


class SandboxAuthResponseDto(FilledMixin, serializers.Serializer[Any]):
    """A sandbox, opened."""

    sandboxName = serializers.CharField()
    sandboxUsername = serializers.CharField()
    accessToken = serializers.CharField()
    instanceUrl = serializers.CharField()
    frontDoorUrl = serializers.CharField(help_text="A one-time link; the bare instance URL where the org gives none.")
    frontDoorError = serializers.CharField(required=False, help_text="Why there is no one-time link.")
    productionOrg = ParentOrgDto()


class ScratchOrgAuthRequestDto(serializers.Serializer[Any]):
    """A scratch org that nobody registered."""

    scratchOrgUsername = ScratchUsernameField(source="username", max_length=MAX_LENGTH)
    devhubUsername = UsernameField(
        source="dev_hub_username",
        required=False,
        max_length=MAX_LENGTH,
        help_text="Without it, all registered DevHubs are asked.",
    )


class ScratchOrgAuthResponseDto(FilledMixin, serializers.Serializer[Any]):
    """A scratch org, opened."""

    scratchOrgUsername = serializers.CharField()
    accessToken = serializers.CharField()
    instanceUrl = serializers.CharField()
    frontDoorUrl = serializers.CharField(help_text="A one-time link; the bare instance URL where the org gives none.")
    frontDoorError = serializers.CharField(required=False, help_text="Why there is no one-time link.")
    sfdxAuthUrl = serializers.CharField(
        required=False, help_text="For owners and application tokens, unless the refresh token rotates."
    )
    orgId = serializers.CharField()
    devhubOrg = ParentOrgDto()


# --- Front doors -------------------------------------------------------------------------------------


class FrontdoorQuery(QueryForm):
    """Which org to open, and how."""

    target = InstanceNameField(max_length=MAX_LENGTH, help_text="A username, sandbox name or pool instance name.")
    repository = RepositoryField(required=False, max_length=255, help_text="Where to look for a pool instance.")
    prodOrg = UsernameField(
        required=False, max_length=MAX_LENGTH, help_text="The production org of a sandbox, or DevHub of a scratch org."
    )
    redirect = serializers.BooleanField(default=True, help_text="false: answer the link in JSON.")
    path = PageField(required=False, max_length=MAX_PAGE_LENGTH, help_text="Open this page of the org.")


class FrontdoorDto(serializers.Serializer[Any]):
    """A one-time link, and where it leads."""

    frontDoorUrl = serializers.CharField(source="link")
    username = serializers.CharField()
    instanceUrl = serializers.CharField(source="instance_url")
    orgId = serializers.CharField(source="org_id")
