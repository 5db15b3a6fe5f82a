"""Metadata pages: the list of operations, and the routes, members and samples of each."""

import json
from typing import TypedDict

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from authn.servicestack.dtos import is_dto, is_map, item_type, members
from authn.servicestack.formats import CSV, FORMATS, JSON, JSV, XML, Format
from authn.servicestack.formats.json import to_dict
from authn.servicestack.operations import OPERATIONS, Operation

FORMATS_SHOWN = (XML, JSON, JSV, CSV)


class _Row(TypedDict):
    name: str
    place: str
    type: str


class _Table(TypedDict):
    title: str
    rows: list[_Row]


class IndexView(View):
    """`GET /metadata`: all operations."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Render the list of operations."""
        context = {"operations": list(OPERATIONS.values()), "formats": FORMATS_SHOWN, "demo": settings.DEMO}
        return render(request, "servicestack/index.html", context)


class MetadataView(View):
    """`GET /{format}/metadata?op=`: one operation in one format."""

    def get(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Render the page of an operation."""
        format_ = FORMATS[path["format"].lower()]
        operation = OPERATIONS.get(request.GET.get("op", "").lower())
        if operation is None or format_ not in FORMATS_SHOWN:
            raise Http404
        context = {
            "demo": settings.DEMO,
            "operation": operation,
            "format": format_,
            "media_type": "text/jsv" if format_ is JSV else format_.media_types[0],
            "tables": [_table(operation.request, operation), _table(operation.response, operation)],
            "sample_request": sample(operation.request, format_),
            "sample_response": sample(operation.response, format_),
        }
        return render(request, "servicestack/operation.html", context)


def sample(dto: type[object], format_: Format) -> str:
    """Return a DTO with placeholder values, indented for reading."""
    filled = _placeholder(dto)
    if format_ is JSV:
        return _laid_out(to_dict(filled))
    if format_ is JSON:
        return json.dumps(to_dict(filled), indent=4)
    return format_.write(filled).rstrip()


def _table(dto: type[object], operation: Operation) -> _Table:
    rows: list[_Row] = [
        {"name": each.name, "place": _place(each.name, dto, operation), "type": _type_name(each.type)}
        for each in members(dto)
    ]
    # ServiceStack lists inherited members first, which here is ResponseStatus.
    rows.sort(key=lambda row: row["name"] != "ResponseStatus")
    return {"title": dto.__name__, "rows": rows}


def _place(name: str, dto: type[object], operation: Operation) -> str:
    if dto is operation.response:
        return "form"
    return "path" if any(f"{{{name}}}" in route for route in operation.routes) else "query"


def _type_name(hint: object) -> str:
    """Return the C# name of a type."""
    if is_map(hint):
        return "Dictionary<string, string>"
    if item := item_type(hint):
        return f"List<{_type_name(item)}>"
    if is_dto(hint):
        return hint.__name__
    return "bool?" if hint is bool else "string"


def _placeholder(hint: object) -> object:
    """Return a value of a type in which every string is "String"."""
    if is_dto(hint):
        return hint(**{each.attribute: _placeholder(each.type) for each in members(hint)})
    if is_map(hint):
        return {"String": "String"}
    if item := item_type(hint):
        return [_placeholder(item)]
    return False if hint is bool else "String"


def _laid_out(value: object, indent: str = "") -> str:
    """Return JSV in indented lines, as ServiceStack's own pages show it."""
    deeper = f"{indent}\t"
    if isinstance(value, dict):
        lines = [f"{deeper}{name}: {_below(item, deeper)}" for name, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"{deeper}{_laid_out(item, deeper)}" for item in value) + f"\n{indent}]"
    return str(value)


def _below(value: object, indent: str) -> str:
    """Return a value, on a line of its own if it is nested."""
    return f"\n{indent}{_laid_out(value, indent)}" if isinstance(value, dict | list) else _laid_out(value, indent)
