"""The result of an operation, before it is written in a format."""

from dataclasses import dataclass, field

from authn.servicestack.cookies import Cookie
from authn.servicestack.dtos import ResponseDto


@dataclass(frozen=True, slots=True)
class Reply:
    """A response DTO and its cookies. `logged_in` is True if this request created a log-in."""

    dto: ResponseDto
    cookies: list[Cookie] = field(default_factory=list)
    logged_in: bool = False
