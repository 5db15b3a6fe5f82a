"""The bodies and parameters of pools."""

from typing import Any, ClassVar

from rest_framework import serializers

from authn.serializers import QueryForm, SecretField, StrictBooleanField
from authn.web.safe_text import validate_safe_text
from orgs.serializers import MAX_AUTH_URL_LENGTH, UsernameField
from orgs.usernames import MAX_LENGTH
from sandboxes.fields import AssignmentField, InstanceNameField, PoolTagField, RepositoryField, ScratchUsernameField
from sandboxes.models import PoolInstance
from sandboxes.names import is_sandbox_name
from sandboxes.pools.assignment import DEFAULT_HOURS

MAX_HOURS = 24 * 30


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
    sfdxAuthUrl = SecretField(
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
    assignedToUserEmail = serializers.EmailField(
        source="email", required=False, max_length=254, validators=[validate_safe_text]
    )
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
