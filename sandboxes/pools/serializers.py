"""Bodies and parameters of the Pools group. Names are those of the API contract."""

from typing import Any

from rest_framework import serializers

from authn.serializers import QueryForm, SecretField, StrictBooleanField
from authn.web.safe_text import validate_safe_text
from orgs.salesforce import MAX_TEXT_WITH_URL_LENGTH
from orgs.serializer_fields import UsernameField
from orgs.serializers import WarningDto
from orgs.usernames import MAX_LENGTH
from sandboxes.errors import UnknownSandbox
from sandboxes.fields import AssignmentField, InstanceNameField, PoolTagField, RepositoryField, ScratchUsernameField
from sandboxes.models import PoolInstance
from sandboxes.names import is_sandbox_name
from sandboxes.pools.assignment import DEFAULT_HOURS, MAX_HOURS
from sandboxes.pools.stock import missing_sandbox_warning

_INITIAL_STATUSES = [PoolInstance.Status.AVAILABLE.value, PoolInstance.Status.PROVISIONING.value]


class PoolListQuery(QueryForm):
    """Filters of the list of instances."""

    repository = RepositoryField(required=False, max_length=255, help_text="List the instances of this repository.")
    tag = PoolTagField(required=False, help_text="List the instances of the pools with this tag.")
    poolTag = PoolTagField(required=False, help_text="Another name for `tag`, as in bodies.")
    type = serializers.ChoiceField(
        PoolInstance.Type.choices, required=False, help_text="List the instances of this type."
    )
    status = serializers.ChoiceField(
        PoolInstance.Status.choices, required=False, help_text="List the instances with this status."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the values by model field. Raises ValidationError for two different tags."""
        tags = {attrs.pop(name) for name in ("tag", "poolTag") if name in attrs}
        if len(tags) > 1:
            raise serializers.ValidationError({"poolTag": "This differs from `tag`. Send one of them."})
        return attrs | ({"pool_tag": tags.pop()} if tags else {})


class PoolInstanceQuery(QueryForm):
    """The instance of the request."""

    repository = RepositoryField(max_length=255, help_text="The repository of the pool.")
    name = InstanceNameField(max_length=MAX_LENGTH, help_text="The name of the instance.")


class PoolInstanceCreateDto(serializers.Serializer[object]):
    """An instance to add, with its own auth URL or with the production org or DevHub that gives access to it."""

    repository = RepositoryField(
        max_length=255, help_text="The repository whose jobs share the pool, as org/repo or org/project/repo."
    )
    poolTag = PoolTagField(source="pool_tag", help_text="The tag of the pool.")
    name = InstanceNameField(max_length=MAX_LENGTH, help_text="The sandbox name, for a sandbox.")
    type = serializers.ChoiceField(PoolInstance.Type.choices, help_text="The type of the org.")
    status = serializers.ChoiceField(
        _INITIAL_STATUSES,
        default=PoolInstance.Status.AVAILABLE.value,
        help_text="Whether the instance can be fetched now, or is made available later.",
    )
    username = ScratchUsernameField(
        required=False, max_length=MAX_LENGTH, help_text="The username of a scratch org, or of a registered org."
    )
    parentUsername = UsernameField(
        source="parent_username",
        required=False,
        max_length=MAX_LENGTH,
        help_text="The production org or DevHub through which the org is reached.",
    )
    sfdxAuthUrl = SecretField(
        source="sfdx_auth_url",
        required=False,
        max_length=MAX_TEXT_WITH_URL_LENGTH,
        trim_whitespace=False,
        help_text="An auth URL of the org.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the values. Raises ValidationError for a sandbox whose name is not a sandbox name."""
        if attrs["type"] == PoolInstance.Type.SANDBOX and not is_sandbox_name(attrs["name"]):
            raise serializers.ValidationError({"name": "Not a valid sandbox name: use letters, digits, - and _ only."})
        return attrs


class PoolFetchDto(serializers.Serializer[object]):
    """The pool to fetch an instance from, and the assignment that holds it."""

    repository = RepositoryField(max_length=255, help_text="The repository of the pool.")
    poolTag = PoolTagField(source="pool_tag", help_text="The tag of the pool.")
    assignmentId = AssignmentField(
        source="assignment_id",
        max_length=255,
        help_text="What the instance is for, such as a pull request. It is not a secret.",
    )
    assignedToUserEmail = serializers.EmailField(
        source="email",
        required=False,
        max_length=254,
        validators=[validate_safe_text],
        help_text="The e-mail address of the user who works with the org.",
    )
    expirationHours = serializers.IntegerField(
        source="hours",
        default=DEFAULT_HOURS,
        min_value=1,
        max_value=MAX_HOURS,
        help_text="Hours until the assignment ends by itself.",
    )


class PoolUnassignDto(serializers.Serializer[object]):
    """The assignment to end, and whether its org returns to the pool."""

    repository = RepositoryField(max_length=255, help_text="The repository of the pool.")
    assignmentId = AssignmentField(source="assignment_id", max_length=255, help_text="The assignment to end.")
    returnToPool = StrictBooleanField(
        source="return_to_pool", default=True, help_text="If false, the instance expires instead of becoming available."
    )


class PoolInstanceDto(serializers.ModelSerializer[PoolInstance]):
    """An instance of a pool. Empty fields are omitted."""

    id = serializers.CharField(help_text="The id of the instance.")
    repository = serializers.CharField(help_text="The repository whose jobs share the pool.")
    name = serializers.CharField(help_text="The name of the instance. For a sandbox, the sandbox name.")
    type = serializers.ChoiceField(PoolInstance.Type.choices, help_text="The type of the org.")
    status = serializers.ChoiceField(PoolInstance.Status.choices, help_text="Whether the instance can be fetched.")
    username = serializers.CharField(required=False, help_text="The username of the org, once known.")
    poolTag = serializers.CharField(source="pool_tag", help_text="The tag of the pool.")
    assignmentId = serializers.CharField(
        source="assignment_id", required=False, help_text="The assignment that holds the instance."
    )
    assignedToUserEmail = serializers.CharField(
        source="assigned_to_email", required=False, help_text="The e-mail address of the user who works with the org."
    )
    expiresAt = serializers.DateTimeField(
        source="expires_at", required=False, help_text="When the assignment ends by itself."
    )
    instanceUrl = serializers.CharField(
        source="instance_url", required=False, help_text="The URL of the instance, once known."
    )
    salesforceOrgId = serializers.CharField(source="org_id", required=False, help_text="The id of the org, once known.")
    parentUsername = serializers.CharField(
        source="parent.username",
        default=None,
        required=False,
        help_text="The production org or DevHub through which the org is reached.",
    )

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

    def to_representation(self, instance: PoolInstance) -> dict[str, object]:
        """Return the fields that are not empty."""
        return {name: value for name, value in super().to_representation(instance).items() if value not in ("", None)}


class AddedInstanceDto(PoolInstanceDto):
    """An instance that was added, and what may be wrong with it."""

    warnings = WarningDto(
        many=True,
        required=False,
        help_text="That the parent lists no such sandbox, so that jobs will fail. Omitted if nothing.",
    )

    def to_representation(self, instance: PoolInstance) -> dict[str, object]:
        """Return the fields that have a value, and a warning if the parent lists no sandbox of this name."""
        shown = super().to_representation(instance)
        if message := missing_sandbox_warning(instance):
            action = "Check the name in the production org, under Setup > Sandboxes."
            shown["warnings"] = [{"code": UnknownSandbox.code, "message": message, "action": action}]
        return shown

    class Meta(PoolInstanceDto.Meta):
        fields = (*PoolInstanceDto.Meta.fields, "warnings")


class PoolInstancesDto(serializers.Serializer[object]):
    """The instances that match the filters."""

    instances = PoolInstanceDto(many=True, help_text="The instances, by repository, tag and name.")


class FetchedInstanceDto(PoolInstanceDto):
    """The assigned instance, with an access token for its org."""

    accessToken = serializers.CharField(help_text="The access token, to send as bearer to `instanceUrl`.")

    class Meta(PoolInstanceDto.Meta):
        fields = (*PoolInstanceDto.Meta.fields, "accessToken")
