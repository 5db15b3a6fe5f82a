"""JSON as ServiceStack's clients send and read it. Stricter than v5.6 about what is ambiguous."""

import json
from typing import Any, TypeVar

from authn.servicestack.dtos import camel_case, is_map, is_message, members, members_by_name
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats.values import Budget, must_be_truth
from authn.web.strict_json import NotStrictJSON, read_json

Message = TypeVar("Message")


def read(text: str, message: type[Message]) -> Message:
    """Read a message. Names match in any case, unknown ones are skipped. Raises Unreadable."""
    try:
        content = read_json(text)
    except NotStrictJSON as error:
        raise Unreadable(str(error)) from error
    if not isinstance(content, dict):
        raise Unreadable("The JSON must be an object.")
    _count(content, Budget())
    by_name, values, named = members_by_name(message), {}, set()
    for name, value in content.items():
        found = by_name.get(name.strip().lower())
        if found is None:
            continue
        if found.name in named:
            raise Unreadable(f"The JSON names {found.name} twice.", found.name)
        named.add(found.name)
        if value is not None:
            values[found.attribute] = _of_type(value, found.type, found.name)
    return message(**values)


def write(message: object) -> str:
    """Write a message; absent members are left out."""
    return json.dumps(plain(message), ensure_ascii=False, separators=(",", ":"))


def plain(value: object) -> Any:
    """Return a message as maps, lists and single values, with the names that JSON has for them."""
    if is_message(type(value)):
        there = [(each.name, getattr(value, each.attribute)) for each in members(type(value))]
        return {camel_case(name): plain(item) for name, item in there if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _count(value: Any, budget: Budget) -> None:
    budget.spend()
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _count(item, budget)


def _of_type(value: Any, kind: Any, member: str) -> Any:
    if kind is bool:
        return must_be_truth(_text(value, member), member) if value != "" else None
    if is_map(kind):
        if not isinstance(value, dict):
            raise Unreadable(f"{member} must be an object.", member)
        return {name: _text(item, member) for name, item in value.items() if item is not None}
    return _text(value, member)


def _text(value: Any, member: str) -> str:
    """Return a single value as text: 123 is taken for "123"."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Unreadable(f"{member} must be a text.", member)
    return json.dumps(value)
