"""Request bodies, parameters and responses of the Orgs group. Names are those of the API contract."""

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from authn.serializers import QueryForm, SecretField, StrictBooleanField, displayable_names
from orgs.credentials.models import Health
from orgs.errors import NoDefaultDevHub
from orgs.listing import MAX_PAGE
from orgs.metadata import FilterPair, read_filter
from orgs.models import SalesforceOrg
from orgs.salesforce import MAX_TEXT_LENGTH, MAX_TEXT_WITH_URL_LENGTH
from orgs.serializer_fields import CursorField, FilledMixin, InstanceUrlField, MetadataField, UsernameField
from orgs.usernames import MAX_LENGTH

# --- Requests --------------------------------------------------------------------------------------


class UsernameQuery(QueryForm):
    """The org of the request."""

    username = UsernameField(max_length=MAX_LENGTH, help_text="Username or sandbox name of a registered org.")


class AuthTypeQuery(QueryForm):
    """The credential to return with an org."""

    authType = serializers.ChoiceField(
        choices=["accessToken", "sfdxAuthUrl"],
        required=False,
        help_text='"accessToken" (short-lived, default) or "sfdxAuthUrl" (the long-lived refresh token).',
    )


class OrgQuery(UsernameQuery, AuthTypeQuery):
    """The org of the request, and the credential to return with it."""


class DeletionQuery(UsernameQuery):
    """The org to delete, and what else to delete or revoke."""

    cascade = serializers.BooleanField(default=False, help_text="Also delete the orgs that depend on it.")
    revoke = serializers.BooleanField(default=False, help_text="Revoke the refresh token at Salesforce first.")


class ListQuery(QueryForm):
    """Filters and paging of the list of orgs."""

    type = serializers.CharField(
        required=False,
        max_length=MAX_TEXT_LENGTH,
        help_text="Production, Sandbox, Scratch, or an organization type; case-insensitive.",
    )
    devhub = serializers.BooleanField(required=False, help_text="If true, list DevHubs only.")
    metadata = serializers.CharField(
        required=False,
        max_length=8000,
        help_text='key1=value1,key2=value2 or {"key1":"value1"}; orgs must match all pairs.',
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_PAGE, help_text="Page size. If omitted, all orgs are returned."
    )
    after = CursorField(required=False, max_length=MAX_LENGTH, help_text="List the orgs that follow this username.")
    includeSfdxAuthUrl = serializers.BooleanField(
        default=False, help_text="Include the auth URL of each org that has a releasable one. Each release is audited."
    )

    def validate_metadata(self, text: str) -> list[FilterPair]:
        """Return the parsed filter. Raises ValidationError."""
        try:
            return read_filter(text)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages, code=error.code) from error


class SalesforceOrgRegistrationDto(serializers.Serializer[object]):
    """An org to register, or whose registration to renew."""

    instanceUrl = InstanceUrlField(
        source="instance_url",
        required=False,
        max_length=MAX_LENGTH,
        help_text="The expected instance URL. Salesforce returns the actual one, which is stored.",
    )
    username = UsernameField(
        required=False,
        max_length=MAX_LENGTH,
        help_text="The expected username. If the auth URL belongs to another user, it is refused.",
    )
    sfdxAuthUrl = SecretField(
        source="sfdx_auth_url",
        max_length=MAX_TEXT_WITH_URL_LENGTH,
        trim_whitespace=False,
        help_text="The auth URL, as `sf org auth show-sfdx-auth-url` prints it.",
    )
    isDevHub = StrictBooleanField(
        source="is_dev_hub",
        required=False,
        help_text="Whether the org is a DevHub. If omitted, the stored value is kept, or false.",
    )
    isDefault = StrictBooleanField(
        source="is_default",
        required=False,
        help_text="Whether the org is the default DevHub. If omitted, the stored value is kept, or false.",
    )
    metadata = MetadataField(
        required=False, help_text="Key-value pairs to find the org by. If omitted, the stored pairs are kept."
    )
    skipValidation = StrictBooleanField(
        source="skip_validation",
        required=False,
        help_text="Store the auth URL without a call to Salesforce, if the operator allows that.",
    )


class SalesforceOrgUpdateDto(serializers.Serializer[object]):
    """The fields that can be changed without a call to Salesforce. Any other field is refused."""

    isDevHub = StrictBooleanField(source="is_dev_hub", required=False, help_text="Whether the org is a DevHub.")
    isDefault = StrictBooleanField(
        source="is_default", required=False, help_text="Whether the org is the default DevHub. At most one org is."
    )
    metadata = MetadataField(required=False, help_text="Key-value pairs. They replace the stored ones as a whole.")

    def to_internal_value(self, data: object) -> dict[str, object]:
        """Return the values by name. Raises ValidationError."""
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            message = "This field cannot be changed. Register the org again to update it from Salesforce."
            raise serializers.ValidationError(dict.fromkeys(displayable_names(unknown), message), code="unknown")
        values: dict[str, object] = super().to_internal_value(data)
        return values


# --- Responses -------------------------------------------------------------------------------------


class WarningDto(serializers.Serializer[object]):
    """A consequence of the request that was not requested by name. `code` is that of the state it led to."""

    code = serializers.CharField(help_text="The code of the state that the request led to.")
    message = serializers.CharField(help_text="What the request led to.")
    action = serializers.CharField(help_text="What to do about it.")


class AuthErrorDto(serializers.Serializer[object]):
    """Why the response contains no access token."""

    code = serializers.CharField(help_text="The machine-readable error code.")
    message = serializers.CharField(help_text="What happened.")
    action = serializers.CharField(help_text="What to do about it.")


class HealthDto(FilledMixin, serializers.Serializer[object]):
    """The health of a credential. `rotates` is omitted while unknown."""

    state = serializers.ChoiceField(source="health", choices=Health.choices, help_text="The state of the credential.")
    reason = serializers.CharField(required=False, help_text="The error code of the last failure.")
    detail = serializers.CharField(
        source="outcome_detail", required=False, help_text="What the last failed refresh showed: a host, an error code."
    )
    unresolvedSince = serializers.DateTimeField(
        source="unresolved_since", required=False, help_text="Since when the host of the org has not resolved."
    )
    rotates = serializers.BooleanField(
        required=False, help_text="Whether Salesforce replaces the refresh token at each use."
    )
    lastSuccessAt = serializers.DateTimeField(
        source="last_success_at", required=False, help_text="When the credential last worked."
    )
    lastCheckedAt = serializers.DateTimeField(
        source="last_checked_at",
        required=False,
        help_text="When the credential was last refreshed, successfully or not.",
    )
    lastUsedAt = serializers.DateTimeField(
        source="last_used_at", required=False, help_text="When a session was last issued."
    )

    def to_representation(self, instance: object) -> dict[str, object]:
        """Return the fields that are not empty."""
        return {name: value for name, value in super().to_representation(instance).items() if value != ""}


class SalesforceOrgDto(FilledMixin, serializers.ModelSerializer[SalesforceOrg]):
    """A registered org."""

    username = serializers.CharField(help_text="The username of the stored credential.")
    instanceUrl = serializers.CharField(source="instance_url", help_text="The URL of the instance.")
    orgId = serializers.CharField(source="org_id", help_text="The id of the org. Empty until the org is verified.")
    organizationType = serializers.CharField(
        source="organization_type", help_text="The edition of the org. Empty until the org is verified."
    )
    instanceName = serializers.CharField(
        source="instance_name", help_text="The name of the instance, such as EU42. Empty until the org is verified."
    )
    parentProductionUsername = serializers.CharField(
        source="parent.username",
        default=None,
        required=False,
        help_text="The production org through which a sandbox is reached that was registered by its name.",
    )
    isJitRegistration = serializers.BooleanField(
        source="is_jit_registration", required=False, help_text="Whether the sandbox was registered by its name."
    )
    isDevHub = serializers.BooleanField(source="is_dev_hub", required=False, help_text="Whether the org is a DevHub.")
    isDefault = serializers.BooleanField(
        source="is_default", required=False, help_text="Whether the org is the default DevHub."
    )
    metadata = MetadataField(required=False, help_text="Key-value pairs to find the org by.")
    health = HealthDto(source="credential", required=False, help_text="The health of the stored credential.")
    warnings = WarningDto(
        many=True,
        required=False,
        help_text="What the request led to besides: that the desk has no default DevHub now. Omitted if nothing.",
    )

    def to_representation(self, org: object) -> dict[str, object]:
        """Return the fields that have a value, and a warning if the change left the desk without a default DevHub."""
        shown = super().to_representation(org)
        if isinstance(org, SalesforceOrg) and org.lost_default:
            message = (
                f"{org.username} is no longer a DevHub, so it is not the default DevHub either. There is none now."
            )
            shown["warnings"] = [{"code": NoDefaultDevHub.code, "message": message, "action": NoDefaultDevHub.action}]
        return shown

    class Meta:
        model = SalesforceOrg
        fields: tuple[str, ...] = (
            "username",
            "instanceUrl",
            "orgId",
            "organizationType",
            "instanceName",
            "parentProductionUsername",
            "isJitRegistration",
            "isDevHub",
            "isDefault",
            "metadata",
            "health",
            "warnings",
        )


class SalesforceOrgListItemDto(SalesforceOrgDto):
    """A registered org, with the requested credential if the caller may hold it."""

    createdAt = serializers.DateTimeField(source="created_at", help_text="When the org was registered.")
    accessToken = serializers.CharField(required=False, help_text="Owners and application tokens only.")
    sfdxAuthUrl = serializers.CharField(required=False, help_text="Owners and application tokens only.")
    authError = AuthErrorDto(required=False, help_text="Why there is no access token.")

    class Meta(SalesforceOrgDto.Meta):
        fields = (
            *(name for name in SalesforceOrgDto.Meta.fields if name != "warnings"),
            "createdAt",
            "accessToken",
            "sfdxAuthUrl",
            "authError",
        )


class SalesforceConnectionTestResponseDto(FilledMixin, serializers.Serializer[object]):
    """The result of a connection test."""

    isValid = serializers.BooleanField(help_text="Whether the stored credential works.")
    username = serializers.CharField(help_text="The username of the tested org.")
    orgId = serializers.CharField(required=False, help_text="The id of the org, if the test succeeded.")
    organizationType = serializers.CharField(required=False, help_text="The edition of the org, if the test succeeded.")
    instanceName = serializers.CharField(required=False, help_text="The name of the instance, if the test succeeded.")
    error = serializers.CharField(required=False, help_text="What happened, if the test failed.")
    code = serializers.CharField(required=False, help_text="The machine-readable error code.")
    action = serializers.CharField(required=False, help_text="What to do about the error.")


class AccessTokenResponseDto(FilledMixin, serializers.Serializer[object]):
    """A short-lived access token and the instance that accepts it."""

    accessToken = serializers.CharField(help_text="The access token, to send as bearer to the instance.")
    instanceUrl = serializers.CharField(help_text="The URL of the instance that accepts the token.")
    username = serializers.CharField(help_text="The username of the org.")
    orgId = serializers.CharField(help_text="The id of the org.")
    isDevHub = serializers.BooleanField(required=False, help_text="Whether the org is a DevHub.")
