"""XML as .NET's DataContractSerializer writes and reads it, in ServiceStack's namespace.

Element names are case-sensitive; unlike in .NET, their order does not matter. Document types and entities
are refused.
"""

import re
from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # noqa: S405  # the parser below is defusedxml's

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from authn.servicestack.dtos import Dto, ResponseError, is_dto, is_map, item_type, members
from authn.servicestack.errors import Unreadable
from authn.servicestack.formats.values import MAX_UNSPLIT_LENGTH, Budget, check_depth, required_bool

TYPES = "http://schemas.servicestack.net/types"
ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A namespace of over 200 characters, or a declaration with so much white space that its namespace is not
# found. The parser repeats the namespace before each name, so a long one multiplies the size of the tree.
_LONG_NAMESPACE = re.compile(
    "xmlns(?::[^ \t\r\n=<>]{101}"
    "|(?::[^ \t\r\n=<>]{1,100})?"
    "(?:[ \t\r\n]{101}|[ \t\r\n]{0,100}=(?:[ \t\r\n]{101}|[ \t\r\n]{0,100}(?:\"[^\"<]{201}|'[^'<]{201}))))"
)
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})


def read(text: str, dto: type[Dto]) -> Dto:
    """Parse a DTO; unknown elements are ignored. Raises Unreadable."""
    root = _parse(text)
    if root.tag != f"{{{TYPES}}}{dto.__name__}":
        raise Unreadable(f"The root of the XML must be {dto.__name__} in the namespace {TYPES}.")
    by_tag = {f"{{{TYPES}}}{each.name}": each for each in members(dto)}
    values: dict[str, object] = {}
    for element in root:
        if not element.tag.startswith(f"{{{TYPES}}}"):
            raise Unreadable(f"All members in the XML must be in the namespace {TYPES}.")
        found = by_tag.get(element.tag)
        if found and element.get(f"{{{INSTANCE}}}nil") not in ("true", "1"):
            values[found.attribute] = _of_type(element, found.type, found.name)
    return dto(**values)


def write(dto: object) -> str:
    """Serialize a DTO; absent members are nil."""
    name = type(dto).__name__
    return (
        f'<?xml version="1.0" encoding="utf-8"?><{name} xmlns:i="{INSTANCE}" xmlns="{TYPES}">'
        f"{_members(dto, depth=1)}</{name}>"
    )


class _BoundedTree(TreeBuilder):
    """Builds the tree, and raises Unreadable once it is too deep or too large."""

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
    # The parser reports only complete tags, which is too late to count their attributes.
    if any(
        "<" not in text[start : start + MAX_UNSPLIT_LENGTH]
        for start in range(0, len(text) - MAX_UNSPLIT_LENGTH, MAX_UNSPLIT_LENGTH)
    ):
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


def _of_type(element: Element, hint: object, member: str) -> object:
    if is_map(hint):
        return dict(_pair(each, member) for each in element)
    text = _text(element, member)
    if hint is bool:
        return required_bool(text, member) if text.strip() else None
    return text


def _pair(element: Element, member: str) -> tuple[str, str]:
    parts = {part.tag: _text(part, member) for part in element}
    key = parts.get(f"{{{ARRAYS}}}Key")
    if element.tag != f"{{{ARRAYS}}}KeyValueOfstringstring" or key is None:
        raise Unreadable(f"{member} must contain key-value pairs.", member)
    return key, parts.get(f"{{{ARRAYS}}}Value", "")


def _text(element: Element, member: str) -> str:
    if len(element):
        raise Unreadable(f"{member} must be a string.", member)
    return element.text or ""


def _members(dto: object, depth: int) -> str:
    # DataContractSerializer omits absent members of ResponseError only, as that class declares (EmitDefaultValue).
    omits_absent = isinstance(dto, ResponseError)
    values = [(member, getattr(dto, member.attribute)) for member in members(type(dto))]
    return "".join(
        _element(member.name, value, member.type, depth + 1)
        for member, value in values
        if value is not None or not omits_absent
    )


def _element(name: str, value: object, hint: object, depth: int) -> str:
    prefix = f"d{depth}p1"
    arrays = f' xmlns:{prefix}="{ARRAYS}"' if is_map(hint) or item_type(hint) is str else ""
    if value is None:
        return f'<{name}{arrays} i:nil="true" />'
    content = _content(value, prefix, depth)
    return f"<{name}{arrays}>{content}</{name}>" if content else f"<{name}{arrays} />"


def _content(value: object, prefix: str, depth: int) -> str:
    if is_dto(type(value)):
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


def _item(item: object, prefix: str, depth: int) -> str:
    if is_dto(type(item)):
        name = type(item).__name__
        return f"<{name}>{_members(item, depth + 1)}</{name}>"
    return f"<{prefix}:string>{_escape(item)}</{prefix}:string>"


def _escape(text: object) -> str:
    return _UNWRITABLE.sub("\ufffd", str(text)).translate(_MARKUP)
