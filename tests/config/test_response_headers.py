"""Headers of every response: request ID, Cache-Control and security headers."""

import pytest

from tests.orgs.factories import ORGS, REGISTER

PATHS = [ORGS, "/sfp/api/nothing", "/livez", "/readyz", "/sfp/api/schema", "/sfp/api/docs", "/"]


@pytest.mark.parametrize("path", PATHS)
def test_no_response_may_be_stored(owner, path):
    response = owner.get(path)

    assert response.headers["Cache-Control"] == "no-store"
    is_page = response.headers["Content-Type"].startswith("text/html") and response.status_code == 200
    assert response.headers["Referrer-Policy"] == ("same-origin" if is_page else "no-referrer")
    assert response.headers["X-Request-Id"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Authorization" in response.headers["Vary"]


def test_static_files_may_be_cached(anonymous):
    response = anonymous.get("/static/api_docs.js")

    assert response.status_code == 200
    assert "no-store" not in response.headers.get("Cache-Control", "")


def test_a_well_formed_request_id_is_kept(anonymous):
    response = anonymous.send("GET", ORGS, headers={"X-Request-Id": "build-4711.retry_2"})

    assert response.headers["X-Request-Id"] == response.json()["requestId"] == "build-4711.retry_2"


@pytest.mark.parametrize("offered", ["", "short", "x" * 65, "a b c d e f g", "<script>alert(1)</script>", "ünïcödé-id"])
def test_any_other_request_id_is_replaced(anonymous, offered):
    response = anonymous.send("GET", ORGS, headers={"X-Request-Id": offered})

    assert response.headers["X-Request-Id"] != offered
    assert len(response.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense", ""])
def test_the_api_responds_with_json_for_any_accept_header(owner, accept):
    response = owner.send("GET", ORGS, headers={"Accept": accept})

    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("query", [{"format": "api"}, {"format": "xml"}])
def test_the_query_does_not_choose_a_format(owner, query):
    assert owner.get(ORGS, **query).refusal == (400, "VALIDATION_FAILED")


def test_there_is_no_browsable_api_and_no_cross_origin_access(owner):
    response = owner.send("OPTIONS", REGISTER, headers={"Origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in response.headers
