"""Requests made from our own OpenAPI document, as documented and not: each is answered as documented.

schemathesis makes them. About half are turned to an org that is there, and lose what no field is named.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.orgs.factories import a_registered_org, an_org
from tests.support.api_client import Answer, Caller

pytestmark = [pytest.mark.database, pytest.mark.django_db]
EXAMPLES = 30
DOCUMENT = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
OPERATIONS = {
    operation.label: operation
    for operation in (found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations())
}
FIELDS = {name for schema in DOCUMENT["components"]["schemas"].values() for name in schema.get("properties", ())}
ERROR = {"statusCode", "error", "code", "message", "action", "requestId"}
OF_SALESFORCE = {502, 503, 504}


@pytest.fixture
def callers(owner: Caller, member: Caller) -> dict[str, Caller]:
    return {"owner": owner, "member": member}


def _sent(case: Any, known: bool, auth_url: str) -> tuple[str, str, bytes]:
    """Return method, path with query, and body of a case; if `known`, of an org that is there."""
    if known and "username" in case.query:
        case.query["username"] = "ci@acme.example"
    if known and isinstance(case.body, dict):
        case.body = {name: value for name, value in case.body.items() if name in FIELDS - {"username", "instanceUrl"}}
        case.body |= {"sfdxAuthUrl": auth_url} if "sfdxAuthUrl" in case.body else {}
    wanted = case.as_transport_kwargs(base_url="http://localhost")
    ready = requests.Request(
        **{name: wanted.get(name) for name in ("method", "url", "params", "json", "data")}
    ).prepare()
    parts = urlsplit(ready.url or "")
    body = ready.body.encode() if isinstance(ready.body, str) else ready.body or b""
    return case.method, f"{parts.path}?{parts.query}", body


def _as_documented(answer: Answer, operation: Any) -> None:
    documented = {int(status) for status in operation.definition.raw["responses"]}
    assert answer.status_code in documented, answer
    assert answer.status_code < 500 or answer.status_code in OF_SALESFORCE, answer
    if not answer.content:
        assert answer.status_code in (204, 302) or (answer.status_code == 200 and operation.method == "delete"), answer
        return
    if operation.label == "GET /sfp/api/auth/continue":  # The one page of the API.
        assert answer.headers["Content-Type"].startswith("text/html")
        return
    body = answer.json()
    if answer.status_code >= 400:
        assert set(body) >= ERROR, answer
        assert body["code"] != "DATABASE_UNAVAILABLE", answer


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("role", ["owner", "member"])
@pytest.mark.parametrize("label", OPERATIONS)
def test_a_request_is_answered_as_documented(label, role, mode, callers, salesforce):
    operation, caller = OPERATIONS[label], callers[role]
    a_registered_org(callers["owner"], salesforce, isDevHub=True, isDefault=True)
    auth_url = an_org(salesforce, "new@acme.example").auth_url()

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=HealthCheck)
    @given(case=operation.as_strategy(generation_mode=mode), known=st.booleans())
    def each(case: Any, known: bool) -> None:
        method, path, body = _sent(case, known, auth_url)

        answer = caller.send(method, path, body)

        _as_documented(answer, operation)

    each()
