"""The five formats, by name. Each is one module that reads a message from text and writes one as text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authn.servicestack.formats import csv, html, json, jsv, xml


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name in addresses, the media types that mean it, the first of which it answers with."""

    name: str
    media_types: tuple[str, ...]
    content_type: str
    write: Callable[[Any], str]
    read: Callable[[str, type[Any]], Any] | None = None  # HTML is sent as a form, which is no text


HTML = Format("html", ("text/html", "application/xhtml+xml"), "text/html; charset=utf-8", html.write)
JSON = Format("json", ("application/json", "text/json"), "application/json; charset=utf-8", json.write, json.read)
XML = Format("xml", ("application/xml", "text/xml"), "application/xml", xml.write, xml.read)
JSV = Format("jsv", ("application/jsv", "text/jsv"), "application/jsv", jsv.write, jsv.read)
CSV = Format("csv", ("text/csv",), "text/csv", csv.write, csv.read)

# In the order in which v5.6 prefers them, whatever the q-values of an Accept header say.
FORMATS = {each.name: each for each in (HTML, JSON, XML, JSV, CSV)}
BY_MEDIA_TYPE = {media_type: each for each in FORMATS.values() for media_type in each.media_types}
