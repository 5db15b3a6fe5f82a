"""The five formats of the service: one codec module each, and a registry by name and media type.

    read(text, dto_class) -> dto        write(dto) -> text

`json` is the shortest codec, so open it first. `jsv` is ServiceStack's own format, `values` holds what
the codecs share: the spelling of booleans and the limits of depth and size. `html` only writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from authn.servicestack.dtos import Dto
from authn.servicestack.formats import csv, html, json, jsv, xml


class Reader(Protocol):
    """Parses a DTO of the given class from text. Raises Unreadable."""

    def __call__(self, text: str, dto: type[Dto], /) -> Dto:
        """Return the DTO."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name in URLs, the media types that select it, and the Content-Type of responses."""

    name: str
    media_types: tuple[str, ...]
    content_type: str
    write: Callable[[object], str]
    read: Reader | None = None  # None for HTML: browsers send forms.


HTML = Format("html", ("text/html", "application/xhtml+xml"), "text/html; charset=utf-8", html.write)
JSON = Format("json", ("application/json", "text/json"), "application/json; charset=utf-8", json.write, json.read)
XML = Format("xml", ("application/xml", "text/xml"), "application/xml", xml.write, xml.read)
JSV = Format("jsv", ("application/jsv", "text/jsv"), "application/jsv", jsv.write, jsv.read)
CSV = Format("csv", ("text/csv",), "text/csv", csv.write, csv.read)

# In the order of v5.6's preference, which ignores the q-values of Accept.
FORMATS = {each.name: each for each in (HTML, JSON, XML, JSV, CSV)}
BY_MEDIA_TYPE = {media_type: each for each in FORMATS.values() for media_type in each.media_types}
