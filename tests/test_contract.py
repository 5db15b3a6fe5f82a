"""The OpenAPI document that we generate loses nothing of the contract (tests/contract/openapi.json)."""

import json
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

CONTRACT = json.loads((Path(__file__).parent / "contract" / "openapi.json").read_text())

BUILT = [(method, path) for path, operations in CONTRACT["paths"].items() for method in operations]
built = pytest.mark.parametrize(("method", "path"), BUILT, ids=[f"{method} {path}" for method, path in BUILT])


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    """The document as `/sfp/api/schema` serves it: through JSON, without Python's types."""
    document: dict[str, Any] = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
    return document


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow references and single-part allOf to the schema that is meant."""
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif len(schema.get("allOf", [])) == 1:
            schema = schema["allOf"][0]
        else:
            return schema


def _losses(theirs: dict[str, Any], ours: dict[str, Any], document: dict[str, Any], place: str) -> list[str]:
    """Return what of their schema is missing in, or narrower than, ours."""
    theirs, ours = _resolve(CONTRACT, theirs), _resolve(document, ours)
    losses = []
    if theirs.get("type") != ours.get("type"):
        losses.append(f"{place}: type {theirs.get('type')} became {ours.get('type')}")
    if theirs.get("format") and theirs["format"] != ours.get("format"):
        losses.append(f"{place}: format {theirs['format']} became {ours.get('format')}")
    if theirs.get("enum") and set(theirs["enum"]) != set(ours.get("enum", ())):
        losses.append(f"{place}: enum {theirs['enum']} became {ours.get('enum')}")
    if "default" in theirs and "default" in ours and theirs["default"] != ours["default"]:
        losses.append(f"{place}: default {theirs['default']} became {ours['default']}")
    for name in theirs.get("required", []):
        if name not in ours.get("required", []):
            losses.append(f"{place}.{name}: no longer required")
    for name, schema in theirs.get("properties", {}).items():
        if name not in ours.get("properties", {}):
            losses.append(f"{place}.{name}: missing")
        else:
            losses += _losses(schema, ours["properties"][name], document, f"{place}.{name}")
    if "items" in theirs:
        losses += _losses(theirs["items"], ours.get("items", {}), document, f"{place}[]")
    return losses


def _body(operation: dict[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    return content["application/json"]["schema"] if content else None


@built
def test_an_operation_keeps_its_id(method, path, ours):
    wanted = CONTRACT["paths"][path][method].get("operationId")

    assert not wanted or ours["paths"][path][method]["operationId"] == wanted


@built
def test_an_operation_keeps_its_tags_and_its_security(method, path, ours):
    theirs, operation = CONTRACT["paths"][path][method], ours["paths"][path][method]

    assert operation["tags"] == theirs["tags"]
    expected = theirs.get("security", CONTRACT["security"])
    assert operation.get("security", []) == expected or (expected == [] and operation.get("security", [{}]) == [{}])


@built
def test_an_operation_keeps_its_parameters(method, path, ours):
    theirs = {(each["name"], each["in"]): each for each in CONTRACT["paths"][path][method].get("parameters", [])}
    mine = {(each["name"], each["in"]): each for each in ours["paths"][path][method].get("parameters", [])}

    assert set(theirs) <= set(mine)
    for key, parameter in theirs.items():
        assert mine[key].get("required", False) == parameter["required"], key
        assert not _losses(parameter["schema"], mine[key]["schema"], ours, key[0])
    added = [mine[key] for key in set(mine) - set(theirs)]
    assert not [each["name"] for each in added if each.get("required")], "a new parameter must be optional"


@built
def test_an_operation_keeps_its_body(method, path, ours):
    theirs, mine = _body(CONTRACT["paths"][path][method]), _body(ours["paths"][path][method])

    if theirs is None:
        assert mine is None
        return
    assert mine is not None
    assert mine.get("$ref", "").rpartition("/")[2] == theirs["$ref"].rpartition("/")[2]
    assert not _losses(theirs, mine, ours, "body")
    new = set(_resolve(ours, mine).get("required", [])) - set(_resolve(CONTRACT, theirs).get("required", []))
    assert not new, "a field that a client need not send became required"


@built
def test_an_operation_keeps_its_statuses_and_responses(method, path, ours):
    theirs, mine = CONTRACT["paths"][path][method]["responses"], ours["paths"][path][method]["responses"]

    assert set(theirs) <= set(mine)
    for status, response in theirs.items():
        if "content" not in response:
            continue
        wanted = response["content"]["application/json"]["schema"]
        given = mine[status]["content"]["application/json"]["schema"]
        assert not _losses(wanted, given, ours, status)
        for one, other in ((wanted, given), (wanted.get("items", {}), given.get("items", {}))):
            assert one.get("$ref") == other.get("$ref"), "the schema keeps its name"


@built
def test_the_texts_of_403_name_the_roles_of_the_contract(method, path, ours):
    theirs = CONTRACT["paths"][path][method]["responses"].get("403")

    assert theirs is None or ours["paths"][path][method]["responses"]["403"]["description"] == theirs["description"]


def test_every_operation_of_the_contract_is_built(ours):
    built_now = {(method, path) for path, operations in ours["paths"].items() for method in operations}

    assert set(BUILT) <= built_now


def test_the_security_scheme_is_that_of_the_contract(ours):
    theirs, mine = (document["components"]["securitySchemes"]["access-token"] for document in (CONTRACT, ours))

    assert mine == {name: value for name, value in theirs.items() if name != "in"}


def test_every_operation_documents_its_errors_with_one_body(ours):
    bodies = {
        response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for operations in ours["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status >= "400" and "content" in response
    }

    assert bodies == {"ErrorDto"}
