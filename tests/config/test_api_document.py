"""The OpenAPI document is complete: descriptions, examples, and the codes of each error response."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from authn.web.secret_text import looks_like_a_secret
from config.error_catalogue import catalogue
from config.openapi.errors import OPERATIONS
from orgs.credentials.failures import BY_CODE
from tests.support import documented_api

DOCUMENT = documented_api.document()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS_BY_ID = {
    operation["operationId"]: operation for paths in DOCUMENT["paths"].values() for operation in paths.values()
}
ORG = "/sfp/api/auth/salesforce/org"


def _media(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each body of an operation, with its place."""
    bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
    for place, body in bodies.items():
        for media in body.get("content", {}).values():
            yield place, media


def _values(media: dict[str, Any]) -> list[Any]:
    """Return the examples of a body."""
    if "example" in media:
        return [media["example"]]
    names = [example["$ref"].rpartition("/")[2] for example in media["examples"].values()]
    return [DOCUMENT["components"]["examples"][name]["value"] for name in names]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


# --- Texts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_is_described(name):
    properties = SCHEMAS[name].get("properties", {})

    assert [field for field, schema in properties.items() if not schema.get("description")] == []


@pytest.mark.parametrize("operation_id", OPERATIONS_BY_ID)
def test_every_operation_and_parameter_is_described(operation_id):
    operation = OPERATIONS_BY_ID[operation_id]

    assert operation["summary"]
    assert operation["description"]
    assert [each["name"] for each in operation.get("parameters", []) if not each.get("description")] == []
    assert [status for status, response in operation["responses"].items() if not response["description"]] == []


def test_public_routes_are_marked_as_such():
    public = {name for name, operation in OPERATIONS_BY_ID.items() if operation["security"] == []}

    assert public == {f"AuthController_{name}" for name in ("adminLogin", "refresh", "callback", "continue")}


# --- Examples ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation_id", OPERATIONS_BY_ID)
def test_every_body_has_valid_examples(operation_id):
    for place, media in _media(OPERATIONS_BY_ID[operation_id]):
        values = _values(media)

        assert values, place
        for value in values:
            documented_api.compiled(media["schema"]).validate(value)


@pytest.mark.parametrize("operation_id", OPERATIONS_BY_ID)
def test_every_parameter_has_a_valid_example(operation_id):
    for parameter in OPERATIONS_BY_ID[operation_id].get("parameters", []):
        documented_api.compiled(parameter["schema"]).validate(parameter["example"])


def test_no_example_resembles_a_secret():
    texts = set(_texts(DOCUMENT["components"]["examples"]))

    # The one auth URL says that it is an example.
    assert [text for text in texts if looks_like_a_secret(text) and "example-refresh-token" not in text] == []


# --- Codes -------------------------------------------------------------------------------------------


def test_the_table_of_codes_names_every_operation():
    assert set(OPERATIONS) == set(OPERATIONS_BY_ID)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_documented_code_can_have_its_status(operation_id):
    known = {(entry.status.value, entry.code) for entry in catalogue()} | {(400, code) for code in BY_CODE}

    assert OPERATIONS[operation_id] <= known


@pytest.mark.parametrize("operation_id", OPERATIONS_BY_ID)
def test_every_error_response_lists_its_codes(operation_id):
    for status, response in OPERATIONS_BY_ID[operation_id]["responses"].items():
        if status < "400":
            assert "x-codes" not in response
            continue
        values = _values(response["content"]["application/json"])
        assert [value["code"] for value in values] == response["x-codes"]
        assert {value["statusCode"] for value in values} == {int(status)}
        if status != "403":
            assert all(f"`{code}`" in response["description"] for code in response["x-codes"])


# --- Responses are compared with it -------------------------------------------------------------------


def _example(name: str) -> dict[str, Any]:
    value: dict[str, Any] = DOCUMENT["components"]["examples"][name]["value"]
    return dict(value)


def _check(status: int, body: Any, media_type: str = "application/json", path: str = ORG) -> None:
    documented_api.check("GET", path, status, {"Content-Type": media_type}, json.dumps(body).encode())


def test_a_documented_response_passes():
    _check(200, _example("SalesforceOrgListItemDto"))
    _check(404, _example("ORG_NOT_FOUND_404"), path=f"{ORG}?username=x")


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (201, _example("SalesforceOrgListItemDto"), "201 is not documented"),
        (200, _example("SalesforceOrgListItemDto") | {"secret": 1}, "secret"),
        (200, _example("SalesforceOrgListItemDto") | {"isDevHub": "yes"}, "isDevHub"),
        (200, _example("SalesforceOrgListItemDto") | {"createdAt": "yesterday"}, "createdAt"),
        (200, {"username": "ci@acme.example"}, "required"),
        (404, _example("ORG_NOT_FOUND_404") | {"code": "TOKEN_NOT_FOUND"}, "without TOKEN_NOT_FOUND"),
        (404, {"code": "ORG_NOT_FOUND"}, "required"),
        (204, {}, "without a body"),
    ],
)
def test_a_response_that_is_not_documented_fails(status, body, message):
    with pytest.raises(AssertionError, match=message):
        _check(status, body)


def test_another_media_type_fails():
    with pytest.raises(AssertionError, match="not text/html"):
        _check(200, "<p>", "text/html")


def test_a_route_that_is_not_documented_may_only_be_refused():
    _check(404, _example("ORG_NOT_FOUND_404"), path="/sfp/api/nothing")
    with pytest.raises(AssertionError, match="is not documented"):
        _check(200, {}, path="/sfp/api/nothing")
