"""openapi-python-client makes a client of the document that compiles and works against a running demo desk."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orgs.salesforce.emulator import demo_data, snapshot
from tests.support.live_server import Desk, live_desk

HUB = "devhub@acme.example"
PACKAGE = "generated_frontdesk_client"


@pytest.fixture(scope="module")
def client(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The generated package, imported."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yaml").write_text("post_hooks: []\n")
    command = ["--path", document, "--output-path", folder / PACKAGE, "--config", folder / "config.yaml"]
    subprocess.run(
        [
            sys.executable,
            "-m",
            "openapi_python_client",
            "generate",
            *map(str, command),
            "--meta=none",
            "--fail-on-warning",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def desk(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Desk]:
    """A desk with the data of the demo."""
    folder = tmp_path_factory.mktemp("desk")
    salesforce = demo_data.demo()
    snapshot.save(salesforce, folder / "salesforce.json")
    with django_db_blocker.unblock(), salesforce.serve() as server, live_desk(folder, server.url) as desk:
        desk.manage("prepare_demo", "--directory", str(folder))
        yield desk


@pytest.fixture
def url(desk: Desk) -> str:
    return f"http://localhost:{desk.ports[0]}"


@pytest.fixture
def application(client: Any, desk: Desk, url: str) -> Iterator[Any]:
    """A client with the demo's application token."""
    token = (desk.folder / "application-token").read_text().strip()
    with client.AuthenticatedClient(base_url=url, token=token) as caller:
        yield caller


def _call(operation: str, /, **arguments: Any) -> Any:
    """Call an operation by its module, such as `pools.pool_instances_controller_list`."""
    return importlib.import_module(f"{PACKAGE}.api.{operation}").sync_detailed(**arguments)


def _model(name: str) -> Any:
    return getattr(importlib.import_module(f"{PACKAGE}.models"), name)


def test_the_generated_client_compiles(client):
    folder = Path(client.__file__).parent

    compiled = subprocess.run(
        [sys.executable, "-m", "compileall", "-q", str(folder)], capture_output=True, text=True, timeout=120
    )

    assert (compiled.returncode, compiled.stdout) == (0, "")
    for path in folder.rglob("*.py"):
        importlib.import_module(".".join([PACKAGE, *path.relative_to(folder).with_suffix("").parts]))


def test_it_lists_the_orgs_and_gets_one(application):
    listed = _call("orgs.salesforce_auth_controller_list_orgs", client=application, type_="Production")
    one = _call("orgs.salesforce_auth_controller_get_org", client=application, username=HUB)

    assert listed.status_code == 200
    assert {org.username for org in listed.parsed} == {HUB, "emea@acme.example"}
    assert (one.parsed.username, one.parsed.is_default, one.parsed.metadata["team"]) == (HUB, True, "platform")
    assert one.parsed.access_token.startswith("00D")


def test_it_gets_an_access_token(application):
    issued = _call("orgs.salesforce_auth_controller_generate_access_token", client=application, username=HUB)

    assert issued.status_code == 200
    assert issued.parsed.access_token.startswith(issued.parsed.org_id[:15])
    assert issued.parsed.instance_url == "https://acme.my.salesforce.com"


def test_it_uses_a_pool(application):
    pool = {"repository": "acme/app", "assignment_id": "pull-request-7"}
    fetch = _model("PoolFetchDto")(pool_tag="features", **pool)
    unassign = _model("PoolUnassignDto")(**pool)

    fetched = _call("pools.pool_instances_controller_fetch", client=application, body=fetch)
    listed = _call("pools.pool_instances_controller_list", client=application, pool_tag="features")
    ended = _call("pools.pool_instances_controller_unassign", client=application, body=unassign)

    assert fetched.parsed.access_token.startswith("00D")
    assert len(listed.parsed.instances) == 3
    assert [one.name for one in listed.parsed.instances if one.status.value == "ASSIGNED"] == [fetched.parsed.name]
    assert ended.parsed.status.value == "AVAILABLE"


def test_it_logs_in(client, desk, url):
    login = json.loads((desk.folder / "login-member.json").read_text())

    with client.Client(base_url=url) as anyone:
        body = _model("AdminLoginDto")(**login)
        answer = _call("authentication.auth_controller_admin_login", client=anyone, body=body)
    with client.AuthenticatedClient(base_url=url, token=answer.parsed.access_token) as member:
        refused = _call("orgs.salesforce_auth_controller_generate_access_token", client=member, username=HUB)

    assert answer.parsed.user.role.value == "member"
    assert (refused.status_code, refused.parsed.code) == (403, "ROLE_REQUIRED")


def test_it_reads_errors(client, application, url):
    unknown = _call("orgs.salesforce_auth_controller_get_org", client=application, username="unknown@acme.example")
    invalid = _call("orgs.salesforce_auth_controller_list_orgs", client=application, limit=0)
    with client.AuthenticatedClient(base_url=url, token="no-token") as stranger:
        refused = _call("orgs.salesforce_auth_controller_list_orgs", client=stranger)

    assert (unknown.status_code, unknown.parsed.code) == (404, "ORG_NOT_FOUND")
    assert unknown.parsed.action
    assert (invalid.status_code, [error.field for error in invalid.parsed.errors]) == (400, ["limit"])
    assert (refused.status_code, refused.parsed.code) == (401, "TOKEN_INVALID")
