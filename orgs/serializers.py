"""The bodies and parameters of the Orgs group, named as the contract names them."""

import re
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from authn.serializers import QueryForm, SecretField, StrictBooleanField, StrictCharField
from orgs.listing import MAX_PAGE
from orgs.metadata import check_metadata, read_filter
from orgs.models import SalesforceOrg
from orgs.salesforce import MAX_TEXT_LENGTH
from orgs.usernames import MAX_LENGTH, is_username_like

MAX_AUTH_URL_LENGTH = 4096
_FIELD_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_INSTANCE_URL_PATTERN = r"^https://([A-Za-z0-9-]+\.)+[A-Za-z]{2,63}/?$"


@extend_schema_field(OpenApiTypes.OBJECT)
class MetadataField(serializers.JSONField):
    """A JSON object with keys of at most 100 characters."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the object. Raises ValidationError."""
        try:
            return check_metadata(super().to_internal_value(data))
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages, code=error.code) from error


@extend_schema_field({"type": "string", "pattern": _INSTANCE_URL_PATTERN})
class InstanceUrlField(StrictCharField):
    """`https://` and a host; which hosts are Salesforce's, orgs.salesforce.hosts knows."""


class FilledMixin:
    """Leaves out what is not known: the contract has no nulls."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the fields that have a value."""
        shown: dict[str, Any] = super().to_representation(instance)  # type: ignore[misc]  # the serializer's, behind the mixin
        return {name: value for name, value in shown.items() if value is not None}


# --- What comes in ---------------------------------------------------------------------------------


class UsernameField(StrictCharField):
    """A username, or the name of a sandbox. What looks like an address, or a secret, is refused.

    The text is shown in messages and kept in the audit, so an auth URL must not get through as one.
    """

    default_error_messages: ClassVar[Any] = {"invalid": "This is no Salesforce username or sandbox name."}

    def to_internal_value(self, data: Any) -> str:
        """Return the username without spaces around it. Raises ValidationError."""
        username = super().to_internal_value(data)
        if not is_username_like(username):
            self.fail("invalid")
        return username


class UsernameQuery(QueryForm):
    """Which org is meant."""

    username = UsernameField(max_length=MAX_LENGTH, help_text="Username of a registered org, or the name of a sandbox.")


class AuthTypeQuery(QueryForm):
    """Which credential to hand out with an org."""

    authType = serializers.ChoiceField(
        choices=["accessToken", "sfdxAuthUrl"],
        required=False,
        help_text='"accessToken" (short-lived, default) or "sfdxAuthUrl" (the long-lived refresh token).',
    )


class OrgQuery(UsernameQuery, AuthTypeQuery):
    """Which org is meant, and which credential to hand out with it."""


class DeletionQuery(UsernameQuery):
    """Which org to delete, and what goes with it."""

    cascade = serializers.BooleanField(default=False, help_text="Delete the orgs that are reached through it too.")
    revoke = serializers.BooleanField(default=False, help_text="End the refresh token at Salesforce first.")


class ListQuery(QueryForm):
    """Which orgs to list."""

    type = serializers.CharField(
        required=False,
        max_length=MAX_TEXT_LENGTH,
        help_text="Production, Sandbox, Scratch, or an organization type; case ignored.",
    )
    devhub = serializers.BooleanField(required=False, help_text="true: DevHubs only.")
    metadata = serializers.CharField(
        required=False, max_length=8000, help_text='key1=value1,key2=value2 or {"key1":"value1"}; all must fit.'
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_PAGE, help_text="Page size; without it the whole list is answered."
    )
    after = UsernameField(required=False, max_length=MAX_LENGTH, help_text="Continue behind this username.")
    includeSfdxAuthUrl = serializers.BooleanField(
        default=False, help_text="Hand out the auth URL of each org that has one to give; each is audited."
    )

    def validate_metadata(self, text: str) -> list[tuple[str, list[str]]]:
        """Read the filter. Raises ValidationError."""
        try:
            return read_filter(text)
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages, code=error.code) from error


class SalesforceOrgRegistrationDto(serializers.Serializer[Any]):
    """An org to register, or to register anew."""

    instanceUrl = InstanceUrlField(source="instance_url", required=False, max_length=MAX_LENGTH)
    username = UsernameField(required=False, max_length=MAX_LENGTH)
    sfdxAuthUrl = SecretField(source="sfdx_auth_url", max_length=MAX_AUTH_URL_LENGTH, trim_whitespace=False)
    isDevHub = StrictBooleanField(source="is_dev_hub", required=False)
    isDefault = StrictBooleanField(source="is_default", required=False)
    metadata = MetadataField(required=False)
    skipValidation = StrictBooleanField(source="skip_validation", required=False)


class SalesforceOrgUpdateDto(serializers.Serializer[Any]):
    """What can be changed without asking Salesforce. Anything else is refused."""

    isDevHub = StrictBooleanField(source="is_dev_hub", required=False)
    isDefault = StrictBooleanField(source="is_default", required=False)
    metadata = MetadataField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        """Return the values by name. Raises ValidationError."""
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            message = "This field cannot be changed. Register the org again to renew what Salesforce says of it."
            # What is no name may be a secret that slipped into its place.
            names = {name if _FIELD_NAME.fullmatch(name) else "other" for name in unknown}
            raise serializers.ValidationError(dict.fromkeys(sorted(names)[:20], message), code="unknown")
        return super().to_internal_value(data)


# --- What goes out ---------------------------------------------------------------------------------


class AuthErrorDto(serializers.Serializer[Any]):
    """Why an answer holds no access token."""

    code = serializers.CharField()
    message = serializers.CharField()
    action = serializers.CharField()


class HealthDto(FilledMixin, serializers.Serializer[Any]):
    """What is known of a credential. `rotates` is left out while unknown."""

    state = serializers.ChoiceField(
        source="health", choices=["unverified", "healthy", "failing", "uncertain", "expired"]
    )
    reason = serializers.CharField(required=False)
    rotates = serializers.BooleanField(required=False)
    lastSuccessAt = serializers.DateTimeField(source="last_success_at", required=False)
    lastCheckedAt = serializers.DateTimeField(source="last_checked_at", required=False)
    lastUsedAt = serializers.DateTimeField(source="last_used_at", required=False)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the fields that say something."""
        return {name: value for name, value in super().to_representation(instance).items() if value != ""}


class SalesforceOrgDto(FilledMixin, serializers.ModelSerializer[SalesforceOrg]):
    """A registered org."""

    instanceUrl = serializers.CharField(source="instance_url")
    orgId = serializers.CharField(source="org_id")
    organizationType = serializers.CharField(source="organization_type")
    instanceName = serializers.CharField(source="instance_name")
    parentProductionUsername = serializers.CharField(source="parent.username", default=None, required=False)
    isJitRegistration = serializers.BooleanField(source="is_jit_registration", required=False)
    isDevHub = serializers.BooleanField(source="is_dev_hub", required=False)
    isDefault = serializers.BooleanField(source="is_default", required=False)
    metadata = MetadataField(required=False)
    health = HealthDto(source="credential", required=False)

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
        )


class SalesforceOrgListItemDto(SalesforceOrgDto):
    """A registered org, with the credential that was asked for where the asker may have it."""

    createdAt = serializers.DateTimeField(source="created_at")
    accessToken = serializers.CharField(required=False, help_text="Owners and application tokens only.")
    sfdxAuthUrl = serializers.CharField(required=False, help_text="Owners and application tokens only.")
    authError = AuthErrorDto(required=False, help_text="Why there is no access token.")

    class Meta(SalesforceOrgDto.Meta):
        fields = (*SalesforceOrgDto.Meta.fields, "createdAt", "accessToken", "sfdxAuthUrl", "authError")


class SalesforceConnectionTestResponseDto(FilledMixin, serializers.Serializer[Any]):
    """Whether a stored credential works."""

    isValid = serializers.BooleanField()
    username = serializers.CharField()
    orgId = serializers.CharField(required=False)
    organizationType = serializers.CharField(required=False)
    instanceName = serializers.CharField(required=False)
    error = serializers.CharField(required=False)
    code = serializers.CharField(required=False, help_text="The machine-readable name of the error.")
    action = serializers.CharField(required=False, help_text="What to do about the error.")


class AccessTokenResponseDto(FilledMixin, serializers.Serializer[Any]):
    """A short-lived access token and where it is good."""

    accessToken = serializers.CharField()
    instanceUrl = serializers.CharField()
    username = serializers.CharField()
    orgId = serializers.CharField()
    isDevHub = serializers.BooleanField(required=False)
