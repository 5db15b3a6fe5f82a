"""Request and response DTOs of the service, with their members in the order of ServiceStack's output.

Each member declares its name on the wire. XML and the metadata pages write it unchanged; JSON, JSV and
CSV write its first letter in lower case. None means that a member is absent.
"""

import types
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple, TypeGuard, TypeVar, Union, get_args, get_origin, get_type_hints

Dto = TypeVar("Dto")


def member(name: str, *, secret: bool = False) -> Any:
    """Declare a member by its name on the wire. The repr omits a secret one."""
    return field(default=None, repr=not secret, metadata={"name": name})


@dataclass(slots=True, kw_only=True)
class ResponseError:
    """An error in one member of a request."""

    error_code: str | None = member("ErrorCode")
    field_name: str | None = member("FieldName")
    message: str | None = member("Message")
    meta: dict[str, str] | None = member("Meta")


@dataclass(slots=True, kw_only=True)
class ResponseStatus:
    """The outcome of a request: empty for success. StackTrace is never set."""

    error_code: str | None = member("ErrorCode")
    message: str | None = member("Message")
    stack_trace: str | None = member("StackTrace")
    errors: list[ResponseError] | None = member("Errors")
    meta: dict[str, str] | None = member("Meta")


@dataclass(slots=True, kw_only=True)
class Authenticate:
    """Request to log in, to log out, or to return the current user."""

    provider: str | None = member("provider")
    state: str | None = member("State", secret=True)
    oauth_token: str | None = member("oauth_token", secret=True)
    oauth_verifier: str | None = member("oauth_verifier", secret=True)
    user_name: str | None = member("UserName")
    password: str | None = member("Password", secret=True)
    remember_me: bool | None = member("RememberMe")
    continue_to: str | None = member("Continue")
    error_view: str | None = member("ErrorView")
    nonce: str | None = member("nonce", secret=True)
    uri: str | None = member("uri")
    response: str | None = member("response", secret=True)
    qop: str | None = member("qop")
    nc: str | None = member("nc")
    cnonce: str | None = member("cnonce", secret=True)
    use_token_cookie: bool | None = member("UseTokenCookie")
    access_token: str | None = member("AccessToken", secret=True)
    access_token_secret: str | None = member("AccessTokenSecret", secret=True)
    scope: str | None = member("scope")
    meta: dict[str, str] | None = member("Meta", secret=True)


@dataclass(slots=True, kw_only=True)
class AuthenticateResponse:
    """The caller's identity; after a log-in also its tokens."""

    user_id: str | None = member("UserId")
    session_id: str | None = member("SessionId", secret=True)
    user_name: str | None = member("UserName")
    display_name: str | None = member("DisplayName")
    referrer_url: str | None = member("ReferrerUrl")
    bearer_token: str | None = member("BearerToken", secret=True)
    refresh_token: str | None = member("RefreshToken", secret=True)
    profile_url: str | None = member("ProfileUrl")
    roles: list[str] | None = member("Roles")
    permissions: list[str] | None = member("Permissions")
    response_status: ResponseStatus | None = member("ResponseStatus")
    meta: dict[str, str] | None = member("Meta")


@dataclass(slots=True, kw_only=True)
class GetAccessToken:
    """Request for a new access token."""

    refresh_token: str | None = member("RefreshToken", secret=True)
    use_token_cookie: bool | None = member("UseTokenCookie")
    meta: dict[str, str] | None = member("Meta", secret=True)


@dataclass(slots=True, kw_only=True)
class GetAccessTokenResponse:
    """A new access token."""

    access_token: str | None = member("AccessToken", secret=True)
    meta: dict[str, str] | None = member("Meta")
    response_status: ResponseStatus | None = member("ResponseStatus")


@dataclass(slots=True, kw_only=True)
class ErrorResponse:
    """An error that was raised before the request DTO was known."""

    response_status: ResponseStatus | None = member("ResponseStatus")


RequestDto = Authenticate | GetAccessToken
ResponseDto = AuthenticateResponse | GetAccessTokenResponse | ErrorResponse


class Member(NamedTuple):
    """A member of a DTO: its name on the wire, its attribute, and its type without None."""

    name: str
    attribute: str
    type: object


_MEMBERS: dict[type[object], dict[str, Member]] = {}


def members(dto: type[object]) -> tuple[Member, ...]:
    """Return the members of a DTO class, in order. A field without a wire name uses its own."""
    return tuple(members_by_name(dto).values())


def members_by_name(dto: type[object]) -> dict[str, Member]:
    """Return the members of a DTO class by their lower-case names."""
    if dto not in _MEMBERS:
        _MEMBERS[dto] = _members_by_name(dto)
    return _MEMBERS[dto]


def _members_by_name(dto: type[object]) -> dict[str, Member]:
    if not is_dataclass(dto):
        raise TypeError(f"{dto.__name__} is not a dataclass.")
    hints = get_type_hints(dto)
    named = [(each.metadata.get("name", each.name), each.name) for each in fields(dto)]
    return {name.lower(): Member(name, attribute, without_none(hints[attribute])) for name, attribute in named}


def present_members(dto: object) -> list[tuple[Member, object]]:
    """Return the members of a DTO that are not None, with their values."""
    values = [(member, getattr(dto, member.attribute)) for member in members(type(dto))]
    return [(member, value) for member, value in values if value is not None]


def without_none(hint: object) -> object:
    """Return X for the type hint `X | None`, and any other hint unchanged."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(kind for kind in get_args(hint) if kind is not type(None))
    return hint


def item_type(hint: object) -> object | None:
    """Return the item type of a list's type hint, None for any other hint."""
    return without_none(get_args(hint)[0]) if get_origin(hint) is list else None


def is_map(hint: object) -> bool:
    """Return True if a type hint is a map of strings."""
    return get_origin(hint) is dict


def is_dto(hint: object) -> TypeGuard[type[object]]:
    """Return True if a type hint is a DTO class."""
    return isinstance(hint, type) and is_dataclass(hint)


def camel_case(name: str) -> str:
    """Return a member's name as JSON, JSV and CSV write it."""
    return name[:1].lower() + name[1:]
