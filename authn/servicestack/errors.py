"""What can go wrong in this service, with the status and error code that ServiceStack's clients know.

Unreadable         a text is not of the format that it should be in; the codecs raise it
Refusal            a request is answered with an error
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from authn.servicestack.dtos import ResponseError, ResponseStatus


class Unreadable(ValueError):
    """A text cannot be read. `member` names the member that is to blame, if one is.

    The message is for the caller and quotes nothing of the text.
    """

    def __init__(self, message: str, member: str = "") -> None:
        super().__init__(message)
        self.member = member


class Refusal(Exception):
    """A request is answered with an error: a status, an error code, a message, and fields to blame."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        fields: Sequence[ResponseError] = (),
        headers: Mapping[str, str] | None = None,
        forget: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.fields = list(fields)
        self.headers = dict(headers or {})
        self.forget = tuple(forget)  # names of cookies that are no longer worth anything

    def as_status(self) -> ResponseStatus:
        """Return the error as a message; `errors` is there also when it is empty, as in v5.6."""
        return ResponseStatus(error_code=self.code, message=str(self), errors=self.fields)


def not_authenticated(**more: Any) -> Refusal:
    """Return the refusal of somebody who is nobody."""
    return Refusal(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Not Authenticated", **more)


def unbindable(message: str, error: Unreadable) -> Refusal:
    """Return the refusal of a request that is no message of the given name."""
    fields = [ResponseError(error_code="SerializationException", field_name=error.member, message=str(error))]
    text = f"Unable to bind to request '{message}'" if error.member else str(error)
    return Refusal(HTTPStatus.BAD_REQUEST, "SerializationException", text, fields=fields if error.member else ())
