"""Request and response bodies of the Authentication and Application Tokens routes, with their documented names."""

import re
from collections.abc import Iterable
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from authn.models import ApplicationToken
from authn.roles import Role
from authn.tokens import DEFAULT_DAYS, MAX_DAYS
from authn.web.safe_text import validate_safe_text

_FIELD_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")
_MAX_NAMES = 20


def displayable_names(names: Iterable[str]) -> list[str]:
    """Return names of unknown fields or parameters for an error, sorted, at most 20.

    One that is not an identifier may be a misplaced secret, and is shown as "other".
    """
    return sorted({name if _FIELD_NAME.fullmatch(name) else "other" for name in names})[:_MAX_NAMES]


class StrictBooleanField(serializers.BooleanField):
    """A JSON boolean; rejects "true", 1 and null."""

    def to_internal_value(self, data: object) -> bool:
        """Return the value. Raises ValidationError for anything but true and false."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictCharField(serializers.CharField):
    """A JSON string without unsafe characters; rejects numbers and booleans instead of converting them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.append(validate_safe_text)

    def to_internal_value(self, data: object) -> str:
        """Return the value. Raises ValidationError for anything but a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class SecretField(StrictCharField):
    """A password, a token or an auth URL: never displayed, so any character is allowed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators.remove(validate_safe_text)


class QueryForm(serializers.Serializer[object]):
    """Parameters of a query string. This class itself is for routes that take none.

    An unknown parameter is rejected: ignoring a misspelled filter would return more than was requested. So is a
    repeated one, since parsers differ in which value they keep.
    """

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """Return the request's parameters by name. Raises ValidationError."""
        form = cls(data=request.query_params)
        form.is_valid(raise_exception=True)
        values: dict[str, Any] = form.validated_data
        return values

    def to_internal_value(self, data: object) -> dict[str, object]:
        """Return the values by name. Raises ValidationError."""
        if isinstance(data, QueryDict):
            self._reject_unknown(data)
            repeated = [name for name in data if len(data.getlist(name)) > 1]
            if repeated:
                raise serializers.ValidationError(dict.fromkeys(repeated, "Send this parameter once."))
        values: dict[str, object] = super().to_internal_value(data)
        return values

    def _reject_unknown(self, query: QueryDict) -> None:
        if unknown := set(query) - set(self.fields):
            known = ", ".join(self.fields) or "none"
            message = f"Unknown parameter. This route takes: {known}."
            raise serializers.ValidationError(dict.fromkeys(displayable_names(unknown), message), code="unknown")


class AdminLoginDto(serializers.Serializer[object]):
    """E-mail and password of a user."""

    email = StrictCharField(max_length=254, help_text="The e-mail address of the user.")
    password = SecretField(max_length=1024, trim_whitespace=False, help_text="The password of the user.")


class LoginUserDto(serializers.Serializer[object]):
    """The user who logged in."""

    id = serializers.CharField(help_text="The id of the user.")
    email = serializers.CharField(help_text="The e-mail address of the user.")
    role = serializers.ChoiceField(choices=[Role.OWNER.value, Role.MEMBER.value], help_text="What the user may do.")


class AdminLoginResponseDto(serializers.Serializer[object]):
    """A pair of tokens, or the reason for a refusal."""

    success = serializers.BooleanField(help_text="True if the log-in succeeded.")
    access_token = serializers.CharField(required=False, help_text="The bearer token, valid for one hour.")
    refresh_token = serializers.CharField(
        required=False, help_text="Gets the next pair of tokens, once, within 14 days."
    )
    user = LoginUserDto(required=False, help_text="The user who logged in.")
    error = serializers.CharField(required=False, help_text="Why the log-in was refused.")


class TokenRefreshDto(serializers.Serializer[object]):
    """An unused refresh token."""

    refresh_token = SecretField(max_length=4096, help_text="The newest refresh token of the log-in.")


class AuthCallbackDto(serializers.Serializer[object]):
    """The tokens of a log-in on another page, such as a company's own log-in page."""

    access_token = SecretField(max_length=4096, help_text="The access token of the log-in.")
    refresh_token = SecretField(
        max_length=4096,
        required=False,
        help_text="The refresh token of the same log-in. Without it, the session ends with the access token.",
    )


class CallbackUserDto(serializers.Serializer[object]):
    """The user of the new session."""

    userId = serializers.CharField(help_text="The id of the user.")


class AuthCallbackResponseDto(serializers.Serializer[object]):
    """Confirmation that a browser session has started."""

    success = serializers.BooleanField(help_text="True if the session has started.")
    data = CallbackUserDto(required=False, help_text="The user of the session.")  # type: ignore[assignment]  # a field of that name; it leaves the class


class TokenRefreshResponseDto(serializers.Serializer[object]):
    """A new pair of tokens."""

    success = serializers.BooleanField(help_text="True if the tokens were issued.")
    access_token = serializers.CharField(help_text="The bearer token, valid for one hour.")
    refresh_token = serializers.CharField(help_text="The next refresh token. The one that was sent is spent.")


class CreateTokenDto(serializers.Serializer[object]):
    """Name and lifetime of a new application token."""

    name = StrictCharField(max_length=100, help_text="What the token is for, such as the name of a CI job.")
    expiresIn = serializers.IntegerField(
        min_value=1, max_value=MAX_DAYS, default=DEFAULT_DAYS, help_text="Days until the token expires."
    )


class ApplicationTokenDto(serializers.ModelSerializer[ApplicationToken]):
    """An application token without its value."""

    id = serializers.UUIDField(help_text="The id of the token, by which it is revoked.")
    name = serializers.CharField(help_text="What the token is for.")
    prefix = serializers.CharField(help_text="The first characters of the token's value.")
    createdAt = serializers.DateTimeField(source="created_at", help_text="When the token was issued.")
    expiresAt = serializers.DateTimeField(source="expires_at", help_text="When the token expires.")
    lastUsedAt = serializers.DateTimeField(
        source="last_used_at", required=False, help_text="When the token was last used. Omitted before its first use."
    )
    revokedAt = serializers.DateTimeField(
        source="revoked_at", required=False, help_text="When the token was revoked. Omitted while it is valid."
    )
    createdBy = serializers.CharField(source="created_by_name", help_text="Who issued the token.")

    class Meta:
        model = ApplicationToken
        fields = ("id", "name", "prefix", "createdAt", "expiresAt", "lastUsedAt", "revokedAt", "createdBy")

    def to_representation(self, instance: ApplicationToken) -> dict[str, Any]:
        """Omit empty values: the documented body has no nulls."""
        return {key: value for key, value in super().to_representation(instance).items() if value is not None}


class CreatedTokenDto(serializers.ModelSerializer[ApplicationToken]):
    """A new application token with its value, which is returned only here."""

    id = serializers.UUIDField(help_text="The id of the token, by which it is revoked.")
    name = serializers.CharField(help_text="What the token is for.")
    prefix = serializers.CharField(help_text="The first characters of the token's value.")
    token = serializers.CharField(help_text="The value to send as bearer. It cannot be retrieved again.")
    createdAt = serializers.DateTimeField(source="created_at", help_text="When the token was issued.")
    expiresAt = serializers.DateTimeField(source="expires_at", help_text="When the token expires.")

    class Meta:
        model = ApplicationToken
        fields = ("id", "name", "token", "prefix", "createdAt", "expiresAt")


class ErrorFieldDto(serializers.Serializer[object]):
    """One rejected field."""

    field = serializers.CharField(help_text="The name of the field or parameter; empty for the body as a whole.")
    code = serializers.CharField(help_text="A machine-readable reason.")
    message = serializers.CharField(help_text="What is wrong with the value.")


class ErrorDto(serializers.Serializer[object]):
    """The body of every error: what happened, and what to do."""

    statusCode = serializers.IntegerField(help_text="The HTTP status.")
    error = serializers.CharField(help_text="The reason phrase of the status. For a refused log-in, the message.")
    code = serializers.CharField(help_text="The machine-readable reason. It is stable.")
    message = serializers.CharField(help_text="What happened.")
    action = serializers.CharField(help_text="What to do about it.")
    requestId = serializers.CharField(help_text="The id of the request, as in the header X-Request-Id.")
    success = serializers.BooleanField(required=False, help_text="Always false. Only for refused log-ins.")
    errors = ErrorFieldDto(many=True, required=False, help_text="The rejected fields, with the code VALIDATION_FAILED.")  # type: ignore[assignment]  # the class has a property so named
