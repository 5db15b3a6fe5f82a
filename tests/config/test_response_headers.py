"""What every answer carries: its id, and orders not to keep it."""

import pytest

from tests.orgs.factories import ORGS, REGISTER

PATHS = [ORGS, "/sfp/api/nothing", "/livez", "/readyz", "/sfp/api/schema", "/sfp/api/docs", "/"]


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_is_kept_by_anybody(owner, path):
    answer = owner.get(path)

    assert answer.headers["Cache-Control"] == "no-store"
    is_page = answer.headers["Content-Type"].startswith("text/html") and answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == ("same-origin" if is_page else "no-referrer")
    assert answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Authorization" in answer.headers["Vary"]


def test_static_files_may_be_kept(anonymous):
    answer = anonymous.get("/static/api_docs.js")

    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("Cache-Control", "")


def test_a_well_formed_request_id_is_kept(anonymous):
    answer = anonymous.send("GET", ORGS, headers={"X-Request-Id": "build-4711.retry_2"})

    assert answer.headers["X-Request-Id"] == answer.json()["requestId"] == "build-4711.retry_2"


@pytest.mark.parametrize("offered", ["", "short", "x" * 65, "a b c d e f g", "<script>alert(1)</script>", "ünïcödé-id"])
def test_any_other_request_id_is_replaced(anonymous, offered):
    answer = anonymous.send("GET", ORGS, headers={"X-Request-Id": offered})

    assert answer.headers["X-Request-Id"] != offered
    assert len(answer.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "nonsense", ""])
def test_the_api_answers_json_whatever_is_accepted(owner, accept):
    answer = owner.send("GET", ORGS, headers={"Accept": accept})

    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("query", [{"format": "api"}, {"format": "xml"}])
def test_the_query_does_not_choose_a_format(owner, query):
    assert owner.get(ORGS, **query).status_code == 200


def test_there_is_no_browsable_api_and_no_cross_origin_access(owner):
    answer = owner.send("OPTIONS", REGISTER, headers={"Origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers
