"""The pages about the service: which operations there are, and each one's routes, members and samples."""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from authn.servicestack.dtos import is_map, is_message, item_type, members
from authn.servicestack.formats import CSV, FORMATS, JSON, JSV, XML, Format
from authn.servicestack.formats.json import plain
from authn.servicestack.operations import OPERATIONS, Operation

FORMATS_SHOWN = (XML, JSON, JSV, CSV)


class IndexView(View):
    """`GET /metadata`: all operations."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the list."""
        context = {"operations": list(OPERATIONS.values()), "formats": FORMATS_SHOWN, "demo": settings.DEMO}
        return render(request, "servicestack/index.html", context)


class MetadataView(View):
    """`GET /{format}/metadata?op=`: one operation in one format."""

    def get(self, request: HttpRequest, **path: str) -> HttpResponse:
        """Show the page."""
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


def sample(message: type, format_: Format) -> str:
    """Return a message full of placeholders, laid out for reading."""
    filled = _filled(message)
    if format_ is JSV:
        return _laid_out(plain(filled))
    if format_ is JSON:
        return json.dumps(plain(filled), indent=4)
    return format_.write(filled).rstrip()


def _table(message: type, operation: Operation) -> dict[str, Any]:
    rows = [
        {"name": each.name, "place": _place(each.name, message, operation), "type": _type_name(each.type)}
        for each in members(message)
    ]
    # ServiceStack shows what a message inherits first; of these messages that is ResponseStatus.
    rows.sort(key=lambda row: row["name"] != "ResponseStatus")
    return {"title": message.__name__, "rows": rows}


def _place(name: str, message: type, operation: Operation) -> str:
    if message is operation.response:
        return "form"
    return "path" if any(f"{{{name}}}" in route for route in operation.routes) else "query"


def _type_name(kind: Any) -> str:
    """Return a type's name in C#."""
    if is_map(kind):
        return "Dictionary<string, string>"
    if item := item_type(kind):
        return f"List<{_type_name(item)}>"
    return {str: "string", bool: "bool?"}.get(kind) or str(kind.__name__)


def _filled(kind: Any) -> Any:
    """Return a value of a type that is all placeholders."""
    if is_message(kind):
        return kind(**{each.attribute: _filled(each.type) for each in members(kind)})
    if is_map(kind):
        return {"String": "String"}
    if item := item_type(kind):
        return [_filled(item)]
    return False if kind is bool else "String"


def _laid_out(value: Any, indent: str = "") -> str:
    """Return JSV in lines, as ServiceStack's own pages show it."""
    deeper = f"{indent}\t"
    if isinstance(value, dict):
        lines = [f"{deeper}{name}: {_below(item, deeper)}" for name, item in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"{deeper}{_laid_out(item, deeper)}" for item in value) + f"\n{indent}]"
    return str(value)


def _below(value: Any, indent: str) -> str:
    """Put a nested value on a line of its own."""
    return f"\n{indent}{_laid_out(value, indent)}" if isinstance(value, dict | list) else _laid_out(value, indent)
