"""Fields of the Orgs group's bodies and parameters, and what its response bodies share."""

from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from authn.serializers import QueryForm, StrictCharField
from orgs.lookup import is_name
from orgs.metadata import Metadata, check_metadata
from orgs.usernames import PLUS_MESSAGE, SECRET_MESSAGE, is_secret, lost_a_plus

_INSTANCE_URL_PATTERN = r"^https://([A-Za-z0-9-]+\.)+[A-Za-z]{2,63}/?$"


@extend_schema_field(OpenApiTypes.OBJECT)
class MetadataField(serializers.JSONField):
    """A JSON object within the limits of orgs/metadata.py."""

    def to_internal_value(self, data: object) -> Metadata:
        """Return the object. Raises ValidationError."""
        try:
            return check_metadata(super().to_internal_value(data))  # type: ignore[arg-type]  # the stub accepts valid data only
        except DjangoValidationError as error:
            raise serializers.ValidationError(error.messages, code=error.code) from error


@extend_schema_field({"type": "string", "pattern": _INSTANCE_URL_PATTERN})
class InstanceUrlField(StrictCharField):
    """An https:// address with a host only. orgs/salesforce/hosts.py decides which hosts are Salesforce's."""


class FilledMixin:
    """Omits fields without a value: the contract has no nulls."""

    def to_representation(self, instance: object) -> dict[str, object]:
        """Return the fields that are not None."""
        shown: dict[str, object] = super().to_representation(instance)  # type: ignore[misc]  # defined by the serializer
        return {name: value for name, value in shown.items() if value is not None}


class NameField(StrictCharField):
    """A name that is looked up. Subclasses define which names they accept.

    Names appear in messages and in the audit, which must never hold an auth URL: secrets are refused, unrepeated.
    """

    default_error_messages = {
        "invalid": "Not a valid Salesforce username or sandbox name.",
        "secret": SECRET_MESSAGE,
        "plus": PLUS_MESSAGE,
    }

    def accepts(self, name: str) -> bool:
        """Return True for a name that is stored, or that has a valid syntax."""
        raise NotImplementedError

    def to_internal_value(self, data: object) -> str:
        """Return the name without surrounding spaces. Raises ValidationError."""
        name = super().to_internal_value(data)
        if not self.accepts(name):
            in_url = isinstance(self.parent, QueryForm)
            self.fail("secret" if is_secret(name) else "plus" if in_url and lost_a_plus(name) else "invalid")
        return name


class UsernameField(NameField):
    """The username or sandbox name of an org. What registering has stored is accepted, whatever its syntax."""

    def accepts(self, name: str) -> bool:
        """Return True for a valid name, and for one that is registered."""
        return is_name(name)


class CursorField(NameField):
    """A position in the list of orgs: any text, because the org of that username may have been deleted since."""

    def accepts(self, name: str) -> bool:
        """Return True for any text but a secret."""
        return not is_secret(name)
