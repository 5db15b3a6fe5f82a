"""Bodies and parameters of the Pools group. Names are those of the API contract."""

from typing import Any, ClassVar

from rest_framework import serializers

from authn.serializers import QueryForm, SecretField, StrictBooleanField
from authn.web.safe_text import validate_safe_text
from orgs.salesforce import MAX_TEXT_WITH_URL_LENGTH
from orgs.serializers import UsernameField
from orgs.usernames import MAX_LENGTH
from sandboxes.fields import AssignmentField, InstanceNameField, PoolTagField, RepositoryField, ScratchUsernameField
from sandboxes.models import PoolInstance
from sandboxes.names import is_sandbox_name
from sandboxes.pools.assignment import DEFAULT_HOURS, MAX_HOURS

_INITIAL_STATUSES = [PoolInstance.Status.AVAILABLE.value, PoolInstance.Status.PROVISIONING.value]


class PoolListQuery(QueryForm):
    """Filters of the list of instances."""

    repository = RepositoryField(required=False, max_length=255)
    tag = PoolTagField(required=False)
    poolTag = PoolTagField(required=False, help_text="Another name for `tag`, as in bodies.")
    type = serializers.ChoiceField(PoolInstance.Type.choices, required=False)
    status = serializers.ChoiceField(PoolInstance.Status.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the values by model field. Raises ValidationError for two different tags."""
        tags = {attrs.pop(name) for name in ("tag", "poolTag") if name in attrs}
        if len(tags) > 1:
            raise serializers.ValidationError({"poolTag": "This differs from `tag`. Send one of them."})
        return attrs | ({"pool_tag": tags.pop()} if tags else {})


class PoolInstanceQuery(QueryForm):
    """The instance of the request."""

    repository = RepositoryField(max_length=255)
    name = InstanceNameField(max_length=MAX_LENGTH)


class PoolInstanceCreateDto(serializers.Serializer[object]):
    """An instance to add, with its own auth URL or with the production org or DevHub that gives access to it."""

    repository = RepositoryField(max_length=255)
    poolTag = PoolTagField(source="pool_tag")
    name = InstanceNameField(max_length=MAX_LENGTH, help_text="The sandbox name, for a sandbox.")
    type = serializers.ChoiceField(PoolInstance.Type.choices)
    status = serializers.ChoiceField(_INITIAL_STATUSES, default=PoolInstance.Status.AVAILABLE.value)
    username = ScratchUsernameField(required=False, max_length=MAX_LENGTH)
    parentUsername = UsernameField(source="parent_username", required=False, max_length=MAX_LENGTH)
    sfdxAuthUrl = SecretField(
        source="sfdx_auth_url", required=False, max_length=MAX_TEXT_WITH_URL_LENGTH, trim_whitespace=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the values. Raises ValidationError for a sandbox whose name is not a sandbox name."""
        if attrs["type"] == PoolInstance.Type.SANDBOX and not is_sandbox_name(attrs["name"]):
            raise serializers.ValidationError({"name": "Not a valid sandbox name: use letters, digits, - and _ only."})
        return attrs


class PoolFetchDto(serializers.Serializer[object]):
    """The pool to fetch an instance from, and the assignment that holds it."""

    repository = RepositoryField(max_length=255)
    poolTag = PoolTagField(source="pool_tag")
    assignmentId = AssignmentField(source="assignment_id", max_length=255)
    assignedToUserEmail = serializers.EmailField(
        source="email", required=False, max_length=254, validators=[validate_safe_text]
    )
    expirationHours = serializers.IntegerField(source="hours", default=DEFAULT_HOURS, min_value=1, max_value=MAX_HOURS)


class PoolUnassignDto(serializers.Serializer[object]):
    """The assignment to end, and whether its org returns to the pool."""

    repository = RepositoryField(max_length=255)
    assignmentId = AssignmentField(source="assignment_id", max_length=255)
    returnToPool = StrictBooleanField(source="return_to_pool", default=True)


class PoolInstanceDto(serializers.ModelSerializer[PoolInstance]):
    """An instance of a pool. Empty fields are omitted."""

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
        extra_kwargs: ClassVar[dict[str, dict[str, bool]]] = {"username": {"required": False}}

    def to_representation(self, instance: PoolInstance) -> dict[str, object]:
        """Return the fields that are not empty."""
        return {name: value for name, value in super().to_representation(instance).items() if value not in ("", None)}


class PoolInstancesDto(serializers.Serializer[object]):
    """The instances that match the filters."""

    instances = PoolInstanceDto(many=True)


class FetchedInstanceDto(PoolInstanceDto):
    """The assigned instance, with an access token for its org."""

    accessToken = serializers.CharField()

    class Meta(PoolInstanceDto.Meta):
        fields = (*PoolInstanceDto.Meta.fields, "accessToken")
