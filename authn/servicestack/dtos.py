"""The messages of the service, member by member, in the order in which ServiceStack writes them.

A member's name here is the one of the wire; XML and the metadata pages write it as it is, JSON, JSV
and CSV with a small first letter. None means that a member is absent.
"""

import types
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints


def member(name: str, *, secret: bool = False) -> Any:
    """Declare a member by its name on the wire. A secret one stays out of the repr."""
    return field(default=None, repr=not secret, metadata={"name": name})


@dataclass(slots=True, kw_only=True)
class ResponseError:
    """What is wrong with one member of a request."""

    error_code: str | None = member("ErrorCode")
    field_name: str | None = member("FieldName")
    message: str | None = member("Message")
    meta: dict[str, str] | None = member("Meta")


@dataclass(slots=True, kw_only=True)
class ResponseStatus:
    """How a request ended: empty for success. StackTrace is never filled."""

    error_code: str | None = member("ErrorCode")
    message: str | None = member("Message")
    stack_trace: str | None = member("StackTrace")
    errors: list[ResponseError] | None = member("Errors")
    meta: dict[str, str] | None = member("Meta")


@dataclass(slots=True, kw_only=True)
class Authenticate:
    """A wish to log in, to log out, or to be told who one is."""

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
    """Who somebody is; after a log-in also the tokens of it."""

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
    """A refresh token, for a new access token."""

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
    """A refusal from before it was known which message was sent."""

    response_status: ResponseStatus | None = member("ResponseStatus")


class Member(NamedTuple):
    """One member of a message: the name on the wire, the attribute here, and the type of its values."""

    name: str
    attribute: str
    type: Any


def members(message: Any) -> tuple[Member, ...]:
    """Return the members of a message class, in order. A field without a wire name goes by its own."""
    return tuple(members_by_name(message).values())


def members_by_name(message: Any) -> dict[str, Member]:
    """Return the members of a message class by their names in small letters: case does not count."""
    return _by_name(message)


@cache
def _by_name(message: Any) -> dict[str, Member]:
    hints = get_type_hints(message)
    named = [(each.metadata.get("name", each.name), each.name) for each in fields(message)]
    return {name.lower(): Member(name, attribute, some(hints[attribute])) for name, attribute in named}


def some(hint: Any) -> Any:
    """Return the type of a value that is there: X for `X | None`."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(kind for kind in get_args(hint) if kind is not type(None))
    return hint


def item_type(kind: Any) -> Any:
    """Return the type of a list's items, or None when `kind` is no list."""
    return some(get_args(kind)[0]) if get_origin(kind) is list else None


def is_map(kind: Any) -> bool:
    """Tell whether `kind` is a map of texts."""
    return get_origin(kind) is dict


def is_message(kind: Any) -> bool:
    """Tell whether `kind` is a message class, such as those above."""
    return isinstance(kind, type) and is_dataclass(kind)


def camel_case(name: str) -> str:
    """Return a member's name as JSON, JSV and CSV write it."""
    return name[:1].lower() + name[1:]
