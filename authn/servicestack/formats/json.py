"""JSON as ServiceStack's clients send and read it. Stricter than v5.6 about ambiguous input."""

import json

from authn.servicestack.dtos import Dto, camel_case, is_dto, is_map, members_by_name, present_members
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats.values import Budget, required_bool
from authn.web.strict_json import NotStrictJSON, read_json


def read(text: str, dto: type[Dto]) -> Dto:
    """Parse a DTO. Names are case-insensitive, unknown ones are ignored. Raises Unreadable."""
    try:
        content = read_json(text)
    except NotStrictJSON as error:
        raise Unreadable(str(error)) from error
    if not isinstance(content, dict):
        raise Unreadable("The JSON must be an object.")
    _count(content, Budget())
    by_name, values, named = members_by_name(dto), {}, set()
    for name, value in content.items():
        found = by_name.get(name.strip().lower())
        if found is None:
            continue
        if found.name in named:
            raise Unreadable(f"The JSON has a duplicate key for {found.name}.", found.name)
        named.add(found.name)
        if value is not None:
            values[found.attribute] = _of_type(value, found.type, found.name)
    return dto(**values)


def write(dto: object) -> str:
    """Serialize a DTO without its absent members."""
    return json.dumps(to_dict(dto), ensure_ascii=False, separators=(",", ":"))


def to_dict(dto: object) -> dict[str, object]:
    """Return a DTO as a dict of dicts, lists and scalars, with the member names of JSON."""
    return {camel_case(member.name): _plain(value) for member, value in present_members(dto)}


def _plain(value: object) -> object:
    if is_dto(type(value)):
        return to_dict(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _count(value: object, budget: Budget) -> None:
    budget.spend()
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _count(item, budget)


def _of_type(value: object, hint: object, member: str) -> object:
    if hint is bool:
        return required_bool(_text(value, member), member) if value != "" else None
    if is_map(hint):
        if not isinstance(value, dict):
            raise Unreadable(f"{member} must be an object.", member)
        return {name: _text(item, member) for name, item in value.items() if item is not None}
    return _text(value, member)


def _text(value: object, member: str) -> str:
    """Return a scalar as text: 123 as "123"."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Unreadable(f"{member} must be a string.", member)
    return json.dumps(value)
