"""The bodies and parameters of keys on demand, front doors and pools, named as the contract names them."""

from typing import Any, ClassVar

from rest_framework import serializers

from authn.serializers import QueryForm, StrictBooleanField, StrictCharField
from orgs.models import SalesforceOrg
from orgs.serializers import MAX_AUTH_URL_LENGTH, FilledMixin, UsernameField
from orgs.usernames import MAX_LENGTH, is_username_like
from sandboxes.models import PoolInstance
from sandboxes.names import (
    MAX_PAGE_LENGTH,
    POOL_TAG_PATTERN,
    is_repository,
    is_sandbox_name,
    is_scratch_username,
    page_in_org,
)
from sandboxes.pools import DEFAULT_HOURS

MAX_HOURS = 24 * 30


# --- Fields ------------------------------------------------------------------------------------------


class SandboxNameField(StrictCharField):
    """The name of a sandbox. That of a registered org by its username is let through, to be refused by name."""

    default_error_messages: ClassVar[Any] = {"invalid": "A sandbox name has letters, digits, - and _ alone."}

    def to_internal_value(self, data: Any) -> str:
        """Return the name without spaces around it. Raises ValidationError."""
        name = super().to_internal_value(data)
        known = is_username_like(name) and SalesforceOrg.objects.with_username(name).exists()
        if not is_sandbox_name(name) and not known:
            self.fail("invalid")
        return name


class ScratchUsernameField(StrictCharField):
    """The username of a scratch org."""

    default_error_messages: ClassVar[Any] = {"invalid": "This is no Salesforce username."}

    def to_internal_value(self, data: Any) -> str:
        """Return the username without spaces around it. Raises ValidationError."""
        username = super().to_internal_value(data)
        if not is_scratch_username(username):
            self.fail("invalid")
        return username


class RepositoryField(StrictCharField):
    """`org/repo` or `org/project/repo`."""

    default_error_messages: ClassVar[Any] = {"invalid": "Write a repository as org/repo or org/project/repo."}

    def to_internal_value(self, data: Any) -> str:
        """Return the repository. Raises ValidationError."""
        repository = super().to_internal_value(data)
        if not is_repository(repository):
            self.fail("invalid")
        return repository


class PoolTagField(serializers.RegexField):
    """The name of a pool."""

    default_error_messages: ClassVar[Any] = {"invalid": "A pool tag has letters, digits, ., - and _ alone."}

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^(?:{POOL_TAG_PATTERN})\Z", **options)


class InstanceNameField(StrictCharField):
    """The name of a pool instance: a sandbox name, or any name without spaces or markup."""

    default_error_messages: ClassVar[Any] = {"invalid": "A name has no spaces, slashes, colons or markup."}

    def to_internal_value(self, data: Any) -> str:
        """Return the name. Raises ValidationError."""
        name = super().to_internal_value(data)
        if not is_username_like(name):
            self.fail("invalid")
        return name


class AssignmentField(StrictCharField):
    """What an assignment is called: a branch, a ticket, a run. No secret belongs there."""

    default_error_messages: ClassVar[Any] = {"invalid": "An assignmentId has no spaces, colons or markup."}

    def to_internal_value(self, data: Any) -> str:
        """Return the id. Raises ValidationError."""
        assignment = super().to_internal_value(data)
        if not is_username_like(assignment.replace("/", "-").replace("#", "-")):
            self.fail("invalid")
        return assignment


class PageField(StrictCharField):
    """A path in an org."""

    default_error_messages: ClassVar[Any] = {"invalid": "Send a path in the org, such as /lightning/setup/home."}

    def to_internal_value(self, data: Any) -> str:
        """Return the path from the org's root. Raises ValidationError."""
        try:
            return page_in_org(super().to_internal_value(data))
        except ValueError:
            self.fail("invalid")


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


# --- Pools -------------------------------------------------------------------------------------------


class PoolListQuery(QueryForm):
    """Which instances to list."""

    repository = RepositoryField(required=False, max_length=255)
    tag = PoolTagField(required=False)
    type = serializers.ChoiceField(PoolInstance.Type.choices, required=False)
    status = serializers.ChoiceField(PoolInstance.Status.choices, required=False)


class PoolInstanceQuery(QueryForm):
    """Which instance is meant."""

    repository = RepositoryField(max_length=255)
    name = InstanceNameField(max_length=MAX_LENGTH)


class PoolInstanceCreateDto(serializers.Serializer[Any]):
    """An instance to add: reached by an auth URL of its own, or through its production org or DevHub."""

    repository = RepositoryField(max_length=255)
    poolTag = PoolTagField(source="pool_tag")
    name = InstanceNameField(max_length=MAX_LENGTH, help_text="For a sandbox, its sandbox name.")
    type = serializers.ChoiceField(PoolInstance.Type.choices)
    status = serializers.ChoiceField(["AVAILABLE", "PROVISIONING"], default="AVAILABLE")
    username = ScratchUsernameField(required=False, max_length=MAX_LENGTH)
    parentUsername = UsernameField(source="parent_username", required=False, max_length=MAX_LENGTH)
    sfdxAuthUrl = StrictCharField(
        source="sfdx_auth_url", required=False, max_length=MAX_AUTH_URL_LENGTH, trim_whitespace=False
    )

    def validate(self, attrs: Any) -> Any:
        """Refuse a sandbox that has no sandbox's name."""
        if attrs["type"] == PoolInstance.Type.SANDBOX and not is_sandbox_name(attrs["name"]):
            raise serializers.ValidationError({"name": "A sandbox name has letters, digits, - and _ alone."})
        return attrs


class PoolFetchDto(serializers.Serializer[Any]):
    """Who wants an org of which pool."""

    repository = RepositoryField(max_length=255)
    poolTag = PoolTagField(source="pool_tag")
    assignmentId = AssignmentField(source="assignment_id", max_length=255)
    assignedToUserEmail = serializers.EmailField(source="email", required=False, max_length=254)
    expirationHours = serializers.IntegerField(source="hours", default=DEFAULT_HOURS, min_value=1, max_value=MAX_HOURS)


class PoolUnassignDto(serializers.Serializer[Any]):
    """Which assignment ends, and whether its org goes back to the pool."""

    repository = RepositoryField(max_length=255)
    assignmentId = AssignmentField(source="assignment_id", max_length=255)
    returnToPool = StrictBooleanField(source="return_to_pool", default=True)


class PoolInstanceDto(serializers.ModelSerializer[PoolInstance]):
    """An instance of a pool. What is not known is left out."""

    id = serializers.CharField()
    poolTag = serializers.CharField(source="pool_tag")
    assignmentId = serializers.CharField(source="assignment_id", required=False)
    assignedToUserEmail = serializers.CharField(source="assigned_to_email", required=False)
    expiresAt = serializers.DateTimeField(source="expires_at", required=False)
    instanceUrl = serializers.CharField(source="instance_url", required=False)
    salesforceOrgId = serializers.CharField(source="org_id", required=False)
    parentUsername = serializers.CharField(source="parent.username", default=None, required=False)

    class Meta:
        model = PoolInstance
        fields: tuple[str, ...] = (
            "id",
            "repository",
            "poolTag",
            "name",
            "type",
            "status",
            "username",
            "assignmentId",
            "assignedToUserEmail",
            "expiresAt",
            "instanceUrl",
            "salesforceOrgId",
            "parentUsername",
        )
        extra_kwargs: ClassVar[Any] = {"username": {"required": False}}

    def to_representation(self, instance: PoolInstance) -> dict[str, Any]:
        """Return the fields that say something."""
        return {name: value for name, value in super().to_representation(instance).items() if value not in ("", None)}


class PoolInstancesDto(serializers.Serializer[Any]):
    """A list of instances."""

    instances = PoolInstanceDto(many=True)


class FetchedInstanceDto(PoolInstanceDto):
    """An instance that was assigned, with an access token for its org."""

    accessToken = serializers.CharField()

    class Meta(PoolInstanceDto.Meta):
        fields = (*PoolInstanceDto.Meta.fields, "accessToken")
