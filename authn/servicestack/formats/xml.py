"""XML as .NET's DataContractSerializer writes and reads it, in ServiceStack's namespace.

Element names are exact; their order does not matter here, unlike there. No document type, entity or
other file is ever looked at.
"""

import re
from typing import Any, TypeVar
from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # noqa: S405  # the parser below is defusedxml's

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from authn.servicestack.dtos import ResponseError, is_map, is_message, item_type, members
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats.values import MAX_STRETCH, Budget, check_depth, must_be_truth

TYPES = "http://schemas.servicestack.net/types"
ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

Message = TypeVar("Message")

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A namespace of over 200 characters, or a declaration so stretched that its namespace is not found.
# The parser writes the whole namespace before each name, so a long one makes little into very much.
_LONG_NAMESPACE = re.compile(
    "xmlns(?::[^ \t\r\n=<>]{101}"
    "|(?::[^ \t\r\n=<>]{1,100})?"
    "(?:[ \t\r\n]{101}|[ \t\r\n]{0,100}=(?:[ \t\r\n]{101}|[ \t\r\n]{0,100}(?:\"[^\"<]{201}|'[^'<]{201}))))"
)
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})


def read(text: str, message: type[Message]) -> Message:
    """Read a message; unknown elements are skipped. Raises Unreadable."""
    root = _parse(text)
    if root.tag != f"{{{TYPES}}}{message.__name__}":
        raise Unreadable(f"The root of the XML must be {message.__name__} in the namespace {TYPES}.")
    by_tag = {f"{{{TYPES}}}{each.name}": each for each in members(message)}
    values = {}
    for element in root:
        if not element.tag.startswith(f"{{{TYPES}}}"):
            raise Unreadable(f"All members in the XML must be in the namespace {TYPES}.")
        found = by_tag.get(element.tag)
        if found and element.get(f"{{{INSTANCE}}}nil") not in ("true", "1"):
            values[found.attribute] = _of_type(element, found.type, found.name)
    return message(**values)


def write(message: object) -> str:
    """Write a message; absent members are said to be nil."""
    name = type(message).__name__
    return (
        f'<?xml version="1.0" encoding="utf-8"?><{name} xmlns:i="{INSTANCE}" xmlns="{TYPES}">'
        f"{_members(message, depth=1)}</{name}>"
    )


class _BoundedTree(TreeBuilder):
    """Builds the tree, and gives up when it grows too deep or too large."""

    def __init__(self) -> None:
        super().__init__()
        self._depth, self._budget = 0, Budget()

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        check_depth(self._depth)
        self._budget.spend(1 + len(attrs))
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _parse(text: str) -> Element:
    # The parser hands over a tag when it has all attributes of it, which is too late to count them.
    if any("<" not in text[start : start + MAX_STRETCH] for start in range(0, len(text) - MAX_STRETCH, MAX_STRETCH)):
        raise Unreadable("A tag or a text in the XML is too long.")
    if _LONG_NAMESPACE.search(text):
        raise Unreadable("A namespace in the XML is too long.")
    parser = DefusedXMLParser(target=_BoundedTree(), forbid_dtd=True)
    try:
        parser.feed(text)
        root = parser.close()
    except DefusedXmlException as error:
        raise Unreadable("The XML must have no document type and no entities.") from error
    except ParseError as error:
        raise Unreadable("This is not well-formed XML.") from error
    if not isinstance(root, Element):
        raise Unreadable("The XML has no root.")
    return root


def _of_type(element: Element, kind: Any, member: str) -> Any:
    if is_map(kind):
        return dict(_pair(each, member) for each in element)
    text = _text(element, member)
    if kind is bool:
        return must_be_truth(text, member) if text.strip() else None
    return text


def _pair(element: Element, member: str) -> tuple[str, str]:
    parts = {part.tag: _text(part, member) for part in element}
    key = parts.get(f"{{{ARRAYS}}}Key")
    if element.tag != f"{{{ARRAYS}}}KeyValueOfstringstring" or key is None:
        raise Unreadable(f"{member} must hold pairs of key and value.", member)
    return key, parts.get(f"{{{ARRAYS}}}Value", "")


def _text(element: Element, member: str) -> str:
    if len(element):
        raise Unreadable(f"{member} must be a text.", member)
    return element.text or ""


def _members(message: object, depth: int) -> str:
    # DataContractSerializer leaves absent members out of a ResponseError alone, which says so of itself.
    leave_out = isinstance(message, ResponseError)
    there = [(each, getattr(message, each.attribute)) for each in members(type(message))]
    return "".join(
        _element(each.name, value, each.type, depth + 1) for each, value in there if value is not None or not leave_out
    )


def _element(name: str, value: Any, kind: Any, depth: int) -> str:
    prefix = f"d{depth}p1"
    arrays = f' xmlns:{prefix}="{ARRAYS}"' if is_map(kind) or item_type(kind) is str else ""
    if value is None:
        return f'<{name}{arrays} i:nil="true" />'
    content = _content(value, prefix, depth)
    return f"<{name}{arrays}>{content}</{name}>" if content else f"<{name}{arrays} />"


def _content(value: Any, prefix: str, depth: int) -> str:
    if is_message(type(value)):
        return _members(value, depth)
    if isinstance(value, dict):
        pair, key, text = (f"{prefix}:{part}" for part in ("KeyValueOfstringstring", "Key", "Value"))
        return "".join(
            f"<{pair}><{key}>{_escape(name)}</{key}><{text}>{_escape(item)}</{text}></{pair}>"
            for name, item in value.items()
        )
    if isinstance(value, list):
        return "".join(_item(item, prefix, depth) for item in value)
    return _escape(value)


def _item(item: Any, prefix: str, depth: int) -> str:
    if is_message(type(item)):
        name = type(item).__name__
        return f"<{name}>{_members(item, depth + 1)}</{name}>"
    return f"<{prefix}:string>{_escape(item)}</{prefix}:string>"


def _escape(text: object) -> str:
    return _UNWRITABLE.sub("\ufffd", str(text)).translate(_MARKUP)
