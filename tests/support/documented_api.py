"""Compares responses of the API with the OpenAPI document of this desk: status, media type, body and error code."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from drf_spectacular.generators import SchemaGenerator

_API = "/sfp/api/"
# They serve or lead to the document itself, or belong to a page: `POST` is the form of the continue page.
_NOT_IN_THE_DOCUMENT = {"/sfp/api/schema", "/sfp/api/docs"}
_FORMS = {("POST", "/sfp/api/auth/continue")}


@cache
def document() -> dict[str, Any]:
    """Return the document as `/sfp/api/schema` serves it."""
    generated: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
    return generated


def check(method: str, path: str, status: int, headers: Mapping[str, str], content: bytes) -> None:
    """Fail unless the document allows the response. Paths outside the API are ignored."""
    path = path.partition("?")[0]
    if not path.startswith(_API) or path in _NOT_IN_THE_DOCUMENT or (method, path) in _FORMS:
        return
    template = _template(path)
    verb = "get" if method == "HEAD" else method.lower()
    operation = document()["paths"].get(template, {}).get(verb)
    if operation is None:
        if method != "OPTIONS":
            _check_unknown(method, path, status, content)
        return
    place = f"{method} {template} {status}"
    response = operation["responses"].get(str(status))
    assert response is not None, f"{place} is not documented: {content[:500]!r}"
    if method == "HEAD":
        assert content == b"", place
        return
    media_type = headers.get("Content-Type", "").partition(";")[0]
    if "content" not in response or not content:
        assert content == b"", f"{place} is documented without a body: {content[:500]!r}"
        assert "content" not in response, f"{place} is documented with a body"
        return
    assert media_type in response["content"], f"{place} is documented as {[*response['content']]}, not {media_type}"
    if media_type == "application/json":
        body = json.loads(content)
        _validate(_validator(template, verb, str(status)), body, place)
        if status >= 400:
            assert body["code"] in response["x-codes"], f"{place} is documented without {body['code']}: {body}"


def _check_unknown(method: str, path: str, status: int, content: bytes) -> None:
    """Fail unless a path or method that is not documented is refused, with the error body."""
    assert status >= 400, f"{method} {path} {status} is not documented"
    if method != "HEAD":
        _validate(_error_validator(), json.loads(content), f"{method} {path} {status}")


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Return the paths with variables, as patterns."""
    paths = [path for path in document()["paths"] if "{" in path]
    return [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in paths]


def _template(path: str) -> str:
    if path in document()["paths"]:
        return path
    return next((template for pattern, template in _templates() if pattern.fullmatch(path)), path)


def _validate(validator: jsonschema_rs.Draft202012Validator, body: Any, place: str) -> None:
    try:
        validator.validate(body)
    except jsonschema_rs.ValidationError as error:
        raise AssertionError(f"{place}: {'.'.join(map(str, error.instance_path))}: {error.message}") from None


@cache
def _validator(template: str, verb: str, status: str) -> jsonschema_rs.Draft202012Validator:
    response = document()["paths"][template][verb]["responses"][status]
    return compiled(response["content"]["application/json"]["schema"])


@cache
def _error_validator() -> jsonschema_rs.Draft202012Validator:
    return compiled({"$ref": "#/components/schemas/ErrorDto"})


def compiled(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of a schema of the document."""
    whole = schema | {"components": {"schemas": _closed_schemas()}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


@cache
def _closed_schemas() -> dict[str, Any]:
    """Return the schemas, each without room for fields that it does not name.

    In the document they stay open: clients must accept the fields of later versions.
    """
    schemas = document()["components"]["schemas"]
    return {
        name: {"additionalProperties": False} | schema if "properties" in schema else schema
        for name, schema in schemas.items()
    }
