"""POST /sfp/api/auth/callback: a user's tokens start a browser session."""

import pytest

from authn.models import AuditEvent, LoginFamily
from tests.conftest import PASSWORD
from tests.support.api_client import Caller

pytestmark = pytest.mark.django_db
CALLBACK = "/sfp/api/auth/callback"
LOGIN = "/sfp/api/auth/admin/login"


@pytest.fixture
def pair(a_person):
    a_person("mia@acme.example")
    return Caller().post(LOGIN, {"email": "mia@acme.example", "password": PASSWORD}).json()


def _tokens(pair, **changes):
    return {"access_token": pair["access_token"], "refresh_token": pair["refresh_token"]} | changes


@pytest.mark.database
def test_the_callback_starts_a_session(pair):
    caller = Caller()

    response = caller.post(CALLBACK, _tokens(pair))

    assert response.status_code == 200, response
    assert response.json() == {"success": True, "data": {"userId": pair["user"]["id"]}}
    cookie = caller._client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert caller.get("/password").status_code == 200
    assert AuditEvent.objects.filter(action="person.login", details__door="browser").exists()


@pytest.mark.database
def test_the_refresh_token_is_optional_and_not_used_up(pair):
    assert Caller().post(CALLBACK, {"access_token": pair["access_token"]}).status_code == 200
    Caller().post(CALLBACK, _tokens(pair))
    assert Caller().post("/sfp/api/auth/refresh", {"refresh_token": pair["refresh_token"]}).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": "nonsense"},
        {"access_token": "fdt_" + "x" * 42},
        {"refresh_token": "nonsense"},
    ],
)
def test_bad_tokens_are_401(changes, pair):
    caller = Caller()

    response = caller.post(CALLBACK, _tokens(pair, **changes))

    assert response.status_code == 401, response
    assert "sessionid" not in caller._client.cookies


def test_swapped_tokens_are_401(pair):
    swapped = {"access_token": pair["refresh_token"], "refresh_token": pair["access_token"]}

    assert Caller().post(CALLBACK, swapped).refusal == (401, "TOKEN_INVALID")


@pytest.mark.database
def test_tokens_of_two_log_ins_are_401(pair, member, a_person):
    other = Caller().post(LOGIN, {"email": "member@acme.example", "password": PASSWORD}).json()

    response = Caller().post(CALLBACK, _tokens(pair, refresh_token=other["refresh_token"]))

    assert response.refusal == (401, "REFRESH_INVALID")


def test_an_application_token_does_not_start_a_session(application):
    assert Caller().post(CALLBACK, {"access_token": application.bearer}).refusal == (401, "TOKEN_INVALID")


@pytest.mark.database
def test_a_log_in_that_ended_is_401(pair):
    LoginFamily.objects.update(revoked_at="2026-01-01T00:00:00Z")

    assert Caller().post(CALLBACK, _tokens(pair)).json()["code"] == "TOKEN_REVOKED"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8000.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://evil.example/x"},
    ],
)
def test_a_page_of_another_site_is_refused(headers, pair):
    caller = Caller()

    response = caller.send("POST", CALLBACK, _tokens(pair), headers=headers)

    assert (response.status_code, response.json()["code"]) == (403, "FOREIGN_ORIGIN")
    assert "sessionid" not in caller._client.cookies


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost:8000"}, {"Origin": "http://testserver"}, {}])
def test_our_own_pages_and_programs_are_served(headers, pair):
    assert Caller().send("POST", CALLBACK, _tokens(pair), headers=headers).status_code == 200


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
def test_only_json_is_accepted(kind, pair):
    assert Caller().send("POST", CALLBACK, b"access_token=x", content_type=kind).status_code == 415


@pytest.mark.parametrize("body", [{}, {"access_token": 7}, {"access_token": None}, [], {"access_token": "x" * 5000}])
def test_a_bad_body_is_400(body, db):
    assert Caller().post(CALLBACK, body).refusal == (400, "VALIDATION_FAILED")
