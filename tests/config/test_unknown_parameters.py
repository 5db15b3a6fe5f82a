"""Query parameters that a route does not have are refused by name, and those that it has are accepted."""

import json
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.role_table import NO_TOKEN
from tests.sandboxes.factories import PROD, REPOSITORY, a_production_org, an_instance

pytestmark = pytest.mark.django_db
POOLS = "/sfp/api/pools/instances"
CONTINUE = "/sfp/api/auth/continue"
DOCUMENT = json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))
OPERATIONS: dict[tuple[str, str], dict[str, Any]] = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if path != CONTINUE  # a page, tested below
}


def _send(caller: Any, method: str, path: str, query: dict[str, Any]) -> Any:
    body: dict[str, Any] | None = {} if "requestBody" in OPERATIONS[method, path] else None
    return caller.send(method, path.replace("{token}", NO_TOKEN), body, query=query)


def test_every_route_refuses_an_unknown_parameter_by_name(owner, salesforce, each):
    for method, path in OPERATIONS:
        with each(f"{method} {path}"):
            response = _send(owner, method, path, {"usernam": PROD})

            assert response.refusal == (400, "VALIDATION_FAILED")
            assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [("usernam", "unknown")]
            assert salesforce.calls == []


def test_every_documented_parameter_is_accepted(owner, salesforce, each):
    for (method, path), operation in OPERATIONS.items():
        names = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"]
        for name in names:
            with each(f"{method} {path} {name}"):
                response = _send(owner, method, path, {name: "x"})

                errors = response.json().get("errors", []) if response.status_code == 400 else []
                assert "unknown" not in [error["code"] for error in errors], response


def test_the_error_lists_the_parameters_of_the_route(owner):
    response = owner.get(POOLS, tags="features")

    assert "This route takes: repository, tag, poolTag, type, status." in response.json()["message"]


def test_a_secret_in_the_place_of_a_name_is_not_repeated(owner):
    response = owner.get(POOLS, **{"force://PlatformCLI::5Aep861abc@acme.my.salesforce.com": ""})

    assert [error["field"] for error in response.json()["errors"]] == ["other"]
    assert "5Aep861abc" not in response.text


def test_an_unknown_parameter_is_reported_after_the_bearer_and_the_role(anonymous, member):
    assert anonymous.get(POOLS, x="1").status_code == 401
    assert member.delete(POOLS, x="1").status_code == 403


def test_a_continue_link_with_an_unknown_parameter_is_refused_by_name(anonymous):
    response = anonymous.get(CONTINUE, action="frontDoorUrl", params="targetOrg:dev1", utm_source="chat")

    assert response.status_code == 400
    assert "unknown parameter: utm_source." in response.text


@pytest.mark.parametrize("name", ["action", "params"])
def test_a_continue_link_with_a_repeated_parameter_is_refused(name, anonymous):
    query = {"action": "frontDoorUrl", "params": "targetOrg:dev1"}

    response = anonymous.get(CONTINUE, **query | {name: [query[name], query[name]]})

    assert response.status_code == 400
    assert "duplicate parameter" in response.text


@pytest.mark.parametrize("name", ["tag", "poolTag"])
def test_pool_instances_are_filtered_by_tag_under_either_name(name, owner, salesforce):
    a_production_org(owner, salesforce)
    an_instance(owner, "dev1", poolTag="features")
    an_instance(owner, "dev2", poolTag="releases")

    shown = owner.get(POOLS, repository=REPOSITORY, **{name: "releases"}).json()["instances"]

    assert [instance["name"] for instance in shown] == ["dev2"]


def test_two_different_tags_are_refused(owner):
    assert owner.get(POOLS, tag="a", poolTag="a").status_code == 200
    response = owner.get(POOLS, tag="a", poolTag="b")

    assert [error["field"] for error in response.json()["errors"]] == ["poolTag"]
