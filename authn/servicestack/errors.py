"""Errors of this service, with the statuses and error codes that ServiceStack's clients know.

Unreadable         a text is not valid in its format; raised by the codecs
Refusal            an error response; raised by everything above them
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from authn.servicestack.dtos import ResponseError, ResponseStatus


class Unreadable(ValueError):
    """A text cannot be parsed. `member` names the invalid member, if there is one.

    The message is for the caller and never quotes the text.
    """

    def __init__(self, message: str, member: str = "") -> None:
        super().__init__(message)
        self.member = member


class Refusal(Exception):
    """An error response: status, error code, message, and the errors of single members."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        fields: Sequence[ResponseError] = (),
        headers: Mapping[str, str] | None = None,
        delete_cookies: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields = list(fields)
        self.headers = dict(headers or {})
        self.delete_cookies = tuple(delete_cookies)  # names of cookies whose value is no longer valid

    def as_status(self) -> ResponseStatus:
        """Return the error as a DTO; `errors` is present even if empty, as in v5.6."""
        return ResponseStatus(error_code=self.code, message=str(self), errors=self.fields)


def not_authenticated(*, delete_cookies: Sequence[str] = ()) -> Refusal:
    """Return the 401 for a request without a valid credential."""
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Not Authenticated", delete_cookies=delete_cookies)


def unbindable(dto: str, error: Unreadable) -> Refusal:
    """Return the 400 for a request that cannot be read as the DTO of this name."""
    fields = [ResponseError(error_code="SerializationException", field_name=error.member, message=str(error))]
    text = f"Unable to bind to request '{dto}'" if error.member else str(error)
    return Refusal(HTTPStatus.BAD_REQUEST, "SerializationException", text, fields=fields if error.member else ())
