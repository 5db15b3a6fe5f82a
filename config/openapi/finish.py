"""Completes the generated document: error responses, examples, and the one page of the API.

drf-spectacular takes operations, parameters and bodies from the views; `finish` is its postprocessing hook.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from config.openapi.errors import entry_of, errors_of
from config.openapi.examples import BODIES, LISTS, PARAMETERS, PARAMETERS_OF, error_example

Json = dict[str, Any]  # part of a document, as JSON
_JSON, _HTML = "application/json", "text/html"
_ERROR: Mapping[str, str] = {"$ref": "#/components/schemas/ErrorDto"}

_MEANINGS: Mapping[int, str] = {
    400: "The request is not as documented; `errors` names the fields",
    401: "Unauthorized",
    403: "The request came from a page of another site",
    404: "No such resource is registered",
    408: "The request did not arrive in time",
    409: "Conflict with the current state; `code` and `action` say what to do",
    410: "The org is locked, deleted or expired",
    413: "The request body is too large",
    415: "The request body is not JSON",
    429: "Too many attempts or log-ins; wait as long as Retry-After says",
    500: "Internal error",
    502: "Salesforce refused the request, or its response is invalid",
    503: "Salesforce or this desk is unavailable or busy; wait as long as Retry-After says",
    504: "Salesforce did not respond in time",
}
_WITH_RETRY_AFTER = (429, 503)
_HEADERS: Mapping[str, Json] = {
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 30,
    },
    "X-Token-Source": {
        "description": "`reuse` if the login budget is spent and the newest access token was returned again.",
        "schema": {"type": "string", "enum": ["reuse"]},
        "example": "reuse",
    },
    "Link": {
        "description": "The address of the next page, with `rel=next`, if `limit` was sent and more orgs follow.",
        "schema": {"type": "string"},
        "example": '<https://desk.example/sfp/api/auth/salesforce/orgs?limit=1&after=ci%40acme.example>; rel="next"',
    },
}
# The header that the 200 or 201 of an operation may have.
_HEADER_OF: Mapping[str, str] = {
    "SalesforceAuthController_listOrgs": "Link",
    "SalesforceAuthController_getOrg": "X-Token-Source",
    "SalesforceAuthController_getDefaultDevHub": "X-Token-Source",
    "SalesforceAuthController_generateAccessToken": "X-Token-Source",
    "SalesforceAuthController_generateDefaultDevHubAccessToken": "X-Token-Source",
    "SandboxAuthController_authenticateSandbox": "X-Token-Source",
    "ScratchOrgAuthController_authenticateScratchOrg": "X-Token-Source",
    "PoolInstancesController_fetch": "X-Token-Source",
}


def finish(result: Json, **_: object) -> Json:
    """Return the document with everything that the views do not say."""
    result["paths"]["/sfp/api/auth/continue"] = {"get": _continue_page()}
    examples = _Examples()
    for operation in _operations(result):
        _describe_errors(operation, examples)
        _add_headers(operation)
        _add_examples(operation, examples)
    result["components"] |= {"examples": dict(sorted(examples.used.items())), "headers": _HEADERS}
    return result


def _operations(document: Json) -> Iterator[Json]:
    for operations in document["paths"].values():
        yield from operations.values()


class _Examples:
    """Named examples of the document, each stored once and referenced where it is used."""

    def __init__(self) -> None:
        self.used: dict[str, Json] = {}

    def refer(self, name: str, value: object, summary: str) -> Json:
        """Return a reference to an example, which is stored under its name."""
        self.used[name] = {"summary": summary, "value": value}
        return {"$ref": f"#/components/examples/{name}"}


# --- Errors ------------------------------------------------------------------------------------------


def _describe_errors(operation: Json, examples: _Examples) -> None:
    """Add the error responses of an operation, with the codes of each status."""
    operation.setdefault("security", [])
    if operation["security"] == [{}]:
        operation["security"] = []
    codes = errors_of(
        operation["operationId"], has_body="requestBody" in operation, needs_bearer=bool(operation["security"])
    )
    responses = operation["responses"]
    for status, names in codes.items():
        described = responses.setdefault(str(status), {"description": _MEANINGS[status]})
        if status != HTTPStatus.FORBIDDEN:  # The contract prescribes that text.
            described["description"] += f". Codes: {', '.join(f'`{name}`' for name in names)}."
        described["x-codes"] = names
        shown = {name: _refer_to_error(examples, status, name, described["description"]) for name in names}
        described["content"] = described.get("content", {}) | {_JSON: {"schema": dict(_ERROR), "examples": shown}}
        if status in _WITH_RETRY_AFTER:
            described["headers"] = _refer_to_header("Retry-After")
    operation["responses"] = dict(sorted(responses.items()))


def _refer_to_error(examples: _Examples, status: int, code: str, description: str) -> Json:
    """Return a reference to the example of an error. The text of a refused role is the response's description."""
    body = error_example(entry_of(code, status), status)
    name = f"{code}_{status}"
    if code == "ROLE_REQUIRED":
        body["message"] = description
        name += "_" + description.rpartition(": ")[2].replace(", ", "_")
    return examples.refer(name, body, body["message"])


# --- Headers -----------------------------------------------------------------------------------------


def _add_headers(operation: Json) -> None:
    """Add the headers of an operation's successful responses."""
    if header := _HEADER_OF.get(operation["operationId"]):
        for status in operation["responses"].keys() & {"200", "201"}:
            operation["responses"][status]["headers"] = _refer_to_header(header)


def _refer_to_header(name: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"}}


# --- Examples ----------------------------------------------------------------------------------------


def _add_examples(operation: Json, examples: _Examples) -> None:
    """Add the examples of an operation's parameters, body and successful responses."""
    values = PARAMETERS | PARAMETERS_OF.get(operation["operationId"], {})
    for parameter in operation.get("parameters", []):
        parameter["example"] = values[parameter["name"]]
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += [response for status, response in operation["responses"].items() if status < "400"]
    for body in bodies:
        for media in body.get("content", {}).values():
            _add_example(media, examples)


def _add_example(media: Json, examples: _Examples) -> None:
    schema = media["schema"]
    if schema.get("type") == "array":
        name = schema["items"]["$ref"].rpartition("/")[2]
        media["examples"] = {f"{name}s": examples.refer(f"{name}s", LISTS[name], "A list of one")}
    elif "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        media["examples"] = {name: examples.refer(name, BODIES[name], "An example")}


# --- The continue page -------------------------------------------------------------------------------


def _continue_page() -> Json:
    """Return the operation of the page that REST framework does not serve."""
    texts = {
        "action": "The action to continue to after the log-in, such as frontDoorUrl; case is ignored.",
        "params": "Comma-separated key:value pairs. frontDoorUrl: targetOrg (required), repository, prodOrg.",
    }
    page = {"schema": {"type": "string"}, "example": "<!DOCTYPE html>"}
    return {
        "operationId": "AuthController_continue",
        "summary": "Log in if necessary, and continue to an action",
        "description": "A page for browsers. The link is stable and contains no secret, so it can be shared.",
        "tags": ["Authentication"],
        "security": [],
        "parameters": [
            {"in": "query", "name": name, "required": True, "schema": {"type": "string"}, "description": text}
            for name, text in texts.items()
        ],
        "responses": {
            "200": {"description": "HTML page for login and continuation.", "content": {_HTML: page}},
            "204": {"description": "A prefetch, before the user has followed the link: nothing was issued"},
            "400": {"description": "HTML page: the link is not valid", "content": {_HTML: page}},
        },
    }
