"""The bodies of the Authentication and Application Tokens groups, named as the contract names them."""

from typing import Any

from rest_framework import serializers

from authn.models import ApplicationToken
from authn.roles import Role
from authn.tokens import DEFAULT_DAYS, MAX_DAYS
from authn.web.safe_text import validate_safe_text


class StrictBooleanField(serializers.BooleanField):
    """A JSON boolean; "true", 1 and null are refused."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the value. Raises ValidationError for anything but true and false."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictCharField(serializers.CharField):
    """A JSON string that may be shown; numbers and booleans are refused instead of being written out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(validate_safe_text)

    def to_internal_value(self, data: Any) -> str:
        """Return the value. Raises ValidationError for anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class SecretField(StrictCharField):
    """A password, a token or an auth URL: it is never shown, and may hold any character."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.remove(validate_safe_text)


class QueryForm(serializers.Serializer[Any]):
    """Parameters of a query string. One that is given twice is refused: two readers may differ."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values by name. Raises ValidationError."""
        twice = [str(name) for name in self.fields if hasattr(data, "getlist") and len(data.getlist(name)) > 1]
        if twice:
            raise serializers.ValidationError(dict.fromkeys(twice, "Send this parameter once."))
        return super().to_internal_value(data)


class AdminLoginDto(serializers.Serializer[Any]):
    """E-mail and password of a person."""

    email = StrictCharField(max_length=254)
    password = SecretField(max_length=1024, trim_whitespace=False)


class LoginUserDto(serializers.Serializer[Any]):
    """The person who logged in."""

    id = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=[Role.OWNER.value, Role.MEMBER.value])


class AdminLoginResponseDto(serializers.Serializer[Any]):
    """A pair of tokens, or the reason why there is none."""

    success = serializers.BooleanField()
    access_token = serializers.CharField(required=False)
    refresh_token = serializers.CharField(required=False)
    user = LoginUserDto(required=False)
    error = serializers.CharField(required=False)


class TokenRefreshDto(serializers.Serializer[Any]):
    """A refresh token that was not used before."""

    refresh_token = SecretField(max_length=4096)


class AuthCallbackDto(serializers.Serializer[Any]):
    """The tokens of a person who logged in elsewhere, such as on a page of a company's own."""

    access_token = SecretField(max_length=4096)
    refresh_token = SecretField(max_length=4096, required=False)


class CallbackUserDto(serializers.Serializer[Any]):
    """Who is logged in now."""

    userId = serializers.CharField()


class AuthCallbackResponseDto(serializers.Serializer[Any]):
    """The session of this browser has begun."""

    success = serializers.BooleanField()
    data = CallbackUserDto(required=False)  # type: ignore[assignment]  # a field of that name; it leaves the class


class TokenRefreshResponseDto(serializers.Serializer[Any]):
    """The next pair of tokens."""

    success = serializers.BooleanField()
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()


class CreateTokenDto(serializers.Serializer[Any]):
    """What a new application token is for, and for how many days."""

    name = StrictCharField(max_length=100)
    expiresIn = serializers.IntegerField(
        min_value=1, max_value=MAX_DAYS, default=DEFAULT_DAYS, help_text="Days until the token expires."
    )


class ApplicationTokenDto(serializers.ModelSerializer[ApplicationToken]):
    """An application token without its value."""

    createdAt = serializers.DateTimeField(source="created_at")
    expiresAt = serializers.DateTimeField(source="expires_at")
    lastUsedAt = serializers.DateTimeField(source="last_used_at", required=False)
    revokedAt = serializers.DateTimeField(source="revoked_at", required=False)
    createdBy = serializers.CharField(source="created_by_name")

    class Meta:
        model = ApplicationToken
        fields = ("id", "name", "prefix", "createdAt", "expiresAt", "lastUsedAt", "revokedAt", "createdBy")

    def to_representation(self, instance: ApplicationToken) -> dict[str, Any]:
        """Leave out what is not known: the contract has no nulls."""
        return {key: value for key, value in super().to_representation(instance).items() if value is not None}


class CreatedTokenDto(serializers.ModelSerializer[ApplicationToken]):
    """A new application token with its value, which is shown this once."""

    token = serializers.CharField()
    createdAt = serializers.DateTimeField(source="created_at")
    expiresAt = serializers.DateTimeField(source="expires_at")

    class Meta:
        model = ApplicationToken
        fields = ("id", "name", "token", "prefix", "createdAt", "expiresAt")


class ErrorFieldDto(serializers.Serializer[Any]):
    """One field that was refused."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ErrorDto(serializers.Serializer[Any]):
    """The body of every error: what happened, and what to do."""

    statusCode = serializers.IntegerField()
    error = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    action = serializers.CharField()
    requestId = serializers.CharField()
    errors = ErrorFieldDto(many=True, required=False)  # type: ignore[assignment]  # the class has a property so named
