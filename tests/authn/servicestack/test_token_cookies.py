"""Tokens in cookies: set at a log-in, accepted in requests, deleted when they end."""

import pytest

from authn.models import AuditEvent
from tests.authn.servicestack.wire import LOGIN, Wire, sessions

pytestmark = pytest.mark.django_db
ORGS = "/sfp/api/auth/salesforce/orgs"
REFRESH = "/access-token"


def _bearer(token: str, word: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{word} {token}"}


def _refresh(token: str, path: str = REFRESH, **headers: str):
    return Wire().post(path, {"refreshToken": token}, **headers)


@pytest.mark.database
def test_a_log_in_may_use_token_cookies(wire):
    response = wire.post("/auth/credentials", LOGIN | {"UseTokenCookie": True})

    assert response.status == 200
    assert set(response.cookies) == {"X-UAId", "ss-tok", "ss-reftok"}
    assert response.cookies["ss-tok"].value == response.json()["bearerToken"]
    assert all(morsel["httponly"] and morsel["path"] == "/" for morsel in response.cookies.values())
    assert response.headers["X-Cookies"] == "ss-tok,ss-reftok"
    assert sessions() == 0
    assert "sessionId" not in response.json()


@pytest.mark.database
def test_the_token_cookie_authenticates(wire):
    wire.log_in(UseTokenCookie=True)
    alone = Wire()
    alone.client.cookies["ss-tok"] = wire.cookie("ss-tok")

    assert alone.who() == 200


def test_a_log_in_with_a_session_deletes_the_token_cookies(wire):
    wire.log_in(UseTokenCookie=True)

    response = wire.post("/auth/credentials", LOGIN)

    assert (response.cookies["ss-tok"].value, response.cookies["ss-reftok"].value) == ("", "")
    assert wire.get("/auth").json()["sessionId"] == response.json()["sessionId"]


@pytest.mark.parametrize("kept", [["ss-tok", "ss-reftok"], ["ss-reftok"], ["ss-tok"]])
@pytest.mark.parametrize("in_cookies", [False, True])
def test_a_log_in_ends_the_tokens_in_the_cookies_that_it_replaces(in_cookies, kept, wire):
    old = wire.log_in(UseTokenCookie=True)
    for name in {"ss-tok", "ss-reftok"} - set(kept):
        del wire.client.cookies[name]

    wire.log_in(UseTokenCookie=in_cookies)

    assert _refresh(old["refreshToken"]).status == 401
    assert Wire().who(**_bearer(old["bearerToken"])) == 401
    assert wire.who() == 200
    assert AuditEvent.objects.filter(action="person.logout").count() == 1


def test_a_refused_log_in_does_not_end_the_tokens_in_the_cookies(wire):
    wire.log_in(UseTokenCookie=True)

    wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert wire.who() == 200


def test_a_log_in_does_not_end_the_bearer_token_in_the_header(wire):
    bearer = wire.log_in()["bearerToken"]

    Wire().post("/auth/credentials", LOGIN, **_bearer(bearer))

    assert Wire().who(**_bearer(bearer)) == 200


def test_the_cookie_of_an_ended_token_is_deleted(wire):
    wire.client.cookies["ss-tok"] = "a.b.c"

    response = wire.get("/auth")

    assert response.status == 401
    assert response.cookies["ss-tok"].value == ""
    assert "X-Cookies" not in response.headers


@pytest.mark.database
def test_a_refresh_token_in_a_cookie_returns_the_access_token_in_a_cookie(wire):
    wire.log_in(UseTokenCookie=True)
    alone = Wire()
    alone.client.cookies["ss-reftok"] = wire.cookie("ss-reftok")

    response = alone.post("/api/GetAccessToken", {})

    assert (response.status, response.json()) == (200, {"responseStatus": {}})
    assert set(response.cookies) == {"ss-tok"}
    assert response.headers["X-Cookies"] == "ss-tok"
    assert alone.who() == 200


@pytest.mark.database
def test_a_refresh_token_in_the_body_returns_a_cookie_on_request(wire):
    login = wire.log_in()

    response = Wire().post("/api/GetAccessToken", {"refreshToken": login["refreshToken"], "useTokenCookie": True})

    assert response.json() == {"responseStatus": {}}
    assert set(response.cookies) == {"ss-tok"}
