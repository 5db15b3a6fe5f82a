"""The OpenAPI document: made once by a process, and not sent again to a client that has it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from config.openapi import document
from tests.support.api_client import Caller

SCHEMA = "/sfp/api/schema"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _not_made_yet() -> None:
    document._document.cache_clear()


def _seconds(run: Callable[[], Any]) -> float:
    began = time.thread_time()
    run()
    return time.thread_time() - began


def test_a_thousand_requests_take_less_time_than_making_it_a_hundred_times():
    caller = Caller()
    once = _seconds(lambda: json.dumps(SchemaGenerator().get_schema(public=True)))

    thousand = _seconds(lambda: [caller.get(SCHEMA) for _ in range(1000)])

    assert thousand < 100 * once


def test_it_is_the_document_that_is_generated():
    response = Caller().get(SCHEMA)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    assert json.loads(response.text) == json.loads(json.dumps(SchemaGenerator().get_schema(public=True)))


def test_a_client_that_has_it_gets_304():
    caller = Caller()
    etag = caller.get(SCHEMA).headers["ETag"]

    same = caller.send("GET", SCHEMA, headers={"If-None-Match": etag})
    other = caller.send("GET", SCHEMA, headers={"If-None-Match": '"another"'})

    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert other.status_code == 200


def test_it_is_only_read():
    assert Caller().send("POST", SCHEMA).status_code == 405
    assert Caller().head(SCHEMA).content == b""


def test_pool_instances_are_documented_and_returned_as_an_object(owner):
    paths = SchemaGenerator().get_schema(public=True)["paths"]

    documented = paths["/sfp/api/pools/instances"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    assert documented == {"$ref": "#/components/schemas/PoolInstancesDto"}
    assert owner.get("/sfp/api/pools/instances").json() == {"instances": []}


@pytest.mark.parametrize(("path", "target"), [("/sfp/api", "/sfp/api/docs"), ("/sfp/apidocs-json", "/sfp/api/schema")])
def test_addresses_of_other_servers_lead_to_the_documentation(path, target):
    response = Caller().get(path)

    assert (response.status_code, response.headers["Location"]) == (302, target)
    assert Caller().get(target).status_code == 200
