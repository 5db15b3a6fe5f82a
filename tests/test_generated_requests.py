"""Requests made from our own OpenAPI document, as documented and not: each is answered as documented.

schemathesis makes them, once for a document: whatever is tested next replays them. About half are
turned to an org that is there, and lose what no field is named.
"""

import hashlib
import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.orgs.factories import a_registered_org, an_org
from tests.support.api_client import ApiResponse

pytestmark = [pytest.mark.database, pytest.mark.django_db]
EXAMPLES = 30
DOCUMENT = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))


def _operations() -> dict[str, Any]:
    """Return the operations of the document by label."""
    operations = {}
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations():
        assert isinstance(found, Ok), found
        operations[found.ok().label] = found.ok()
    return operations


OPERATIONS = _operations()
FIELDS = {name for schema in DOCUMENT["components"]["schemas"].values() for name in schema.get("properties", ())}
ERROR = {"statusCode", "error", "code", "message", "action", "requestId"}
OF_SALESFORCE = {502, 503, 504}
# Stands for the auth URL of an org that is not registered, which differs from world to world.
AUTH_URL = "auth-url-of-an-org-that-is-not-registered"
Sent = tuple[str, str, bytes]


def _requests(label: str, mode: GenerationMode) -> list[Sent]:
    """Return the requests of an operation, each once, from the corpus or made now."""
    corpus = _corpus() / f"{hashlib.sha256(f'{label} {mode.value}'.encode()).hexdigest()}.json"
    if not corpus.exists():
        made = [(method, path, body.decode("latin-1")) for method, path, body in _generated(label, mode)]
        # Both workers may be at it.
        new = corpus.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(made))
        new.replace(corpus)
    return [(method, path, body.encode("latin-1")) for method, path, body in json.loads(corpus.read_text())]


def _corpus() -> Path:
    """Return the folder of the requests that are made of this document by these generators and this module."""
    made_of = [json.dumps(DOCUMENT), version("schemathesis"), version("hypothesis"), Path(__file__).read_text()]
    name = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"frontdesk-tests-{os.getuid()}" / f"requests-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _generated(label: str, mode: GenerationMode) -> list[Sent]:
    made: dict[Sent, None] = {}

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode), known=st.booleans())
    def make(case: Any, known: bool) -> None:
        made[_sent(case, known)] = None

    make()
    return list(made)


def _sent(case: Any, known: bool) -> Sent:
    """Return method, path with query, and body of a case; if `known`, of an org that is there."""
    if known and "username" in case.query:
        case.query["username"] = "ci@acme.example"
    if known and isinstance(case.body, dict):
        case.body = {name: value for name, value in case.body.items() if name in FIELDS - {"username", "instanceUrl"}}
        case.body |= {"sfdxAuthUrl": AUTH_URL} if "sfdxAuthUrl" in case.body else {}
    wanted = case.as_transport_kwargs(base_url="http://localhost")
    ready = requests.Request(
        **{name: wanted.get(name) for name in ("method", "url", "params", "json", "data")}
    ).prepare()
    parts = urlsplit(ready.url or "")
    body = ready.body.encode() if isinstance(ready.body, str) else ready.body or b""
    return case.method, f"{parts.path}?{parts.query}", body


def _as_documented(sent: Sent, response: ApiResponse, operation: Any) -> None:
    documented = {int(status) for status in operation.definition.raw["responses"]}
    assert response.status_code in documented, (sent, response)
    assert response.status_code < 500 or response.status_code in OF_SALESFORCE, (sent, response)
    if not response.content:
        assert response.status_code in (204, 302) or (response.status_code == 200 and operation.method == "delete"), (
            sent,
            response,
        )
        return
    if operation.label == "GET /sfp/api/auth/continue":  # The one page of the API.
        assert response.headers["Content-Type"].startswith("text/html")
        return
    body = response.json()
    if response.status_code >= 400:
        assert set(body) >= ERROR, (sent, response)
        assert body["code"] != "DATABASE_UNAVAILABLE", (sent, response)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_a_response_is_as_documented(label, mode, owner, member, salesforce, each):
    a_registered_org(owner, salesforce, isDevHub=True, isDefault=True)
    auth_url = an_org(salesforce, "new@acme.example").auth_url().encode()

    for role, caller in {"owner": owner, "member": member}.items():
        with each(role):
            for sent in _requests(label, mode):
                method, path, body = sent
                response = caller.send(method, path, body.replace(AUTH_URL.encode(), auth_url))

                _as_documented(sent, response, OPERATIONS[label])
