"""What a page of another site can make a browser send: point 60, its first half."""

import json

import pytest

from tests.authn.servicestack.wire import FORM, LOGIN, NAME, Wire, sessions

pytestmark = pytest.mark.django_db
EVIL = "https://evil.example"
UNASKED = [FORM, "multipart/form-data; boundary=b", "text/plain", "Text/Plain;charset=UTF-8"]
# What browsers send for a page without asking, and no script: reports, pings, certificate questions.
REPORTS = ["application/csp-report", "application/reports+json", "text/ping", "application/ocsp-request", "a/b", ""]
FOREIGN = [
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": "http://testserver:8000"},
    {"Origin": "https://testserver"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site", "Origin": "http://sister.testserver"},
    {"Sec_Fetch_Site": "cross-site", "Origin": "http://testserver"},
]
OURS = [
    {},
    {"Origin": "http://testserver"},
    {"Origin": "http://localhost:8000"},
    {"Sec_Fetch_Site": "same-origin", "Origin": "null"},
    {"Sec_Fetch_Site": "none"},
]


def _login_body(type_: str) -> object:
    return json.dumps(LOGIN) if "plain" in type_.lower() else LOGIN if type_ == FORM else b"--b--"


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("type_", UNASKED)
@pytest.mark.parametrize("path", ["/auth/credentials", "/api/Authenticate", "/json/reply/Authenticate"])
def test_point_60_another_site_logs_nobody_in(path, type_, headers, wire):
    answer = wire.post(path, _login_body(type_), type_=type_, **headers)

    assert answer.status in (403, 415), "a text is not read at /auth at all"
    assert sessions() == 0
    assert not answer.cookies


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("type_", REPORTS)
@pytest.mark.parametrize("path", ["/auth/credentials", "/api/Authenticate", "/json/reply/Authenticate"])
def test_point_60_a_report_of_another_site_tries_no_password(path, type_, headers, wire):
    for _ in range(5):
        answer = wire.post(f"{path}?UserName={NAME}&Password=wrong", b"{}", type_=type_, **headers)
        assert answer.status in (403, 415), answer.text

    assert wire.post("/auth/credentials", LOGIN).status == 200, "the name is not locked"


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(("method", "path"), [("GET", "/auth/logout"), ("POST", "/auth/logout"), ("DELETE", "/auth")])
def test_point_60_another_site_logs_nobody_out(method, path, headers, wire):
    wire.log_in()

    answer = wire.send(method, path, **headers)

    assert (answer.status, answer.error()["errorCode"]) == (403, "Forbidden")
    assert wire.who() == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_point_60_another_site_renews_nothing(headers, wire):
    wire.log_in(UseTokenCookie=True)

    answer = wire.post("/api/GetAccessToken", **headers)

    assert answer.status == 403
    assert not answer.cookies


@pytest.mark.parametrize("headers", OURS)
def test_point_60_our_own_pages_do(headers, wire):
    assert wire.post("/auth/credentials", LOGIN, type_=FORM, **headers).status == 200
    assert wire.get("/auth/logout", **headers).status == 200


def test_point_60_a_json_type_is_enough(wire):
    assert wire.post("/auth/credentials", LOGIN, Origin=EVIL).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/auth", "/api/Authenticate", "/access-token", "/auth/credentials"])
def test_point_60_no_origin_is_granted_anything(path, method, wire):
    answer = wire.send(
        method, path, LOGIN if method == "POST" else b"", Origin=EVIL, Access_Control_Request_Method="POST"
    )

    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_session_and_token_cookies_are_not_sent_along_from_elsewhere(ursula):
    for wish in (LOGIN, LOGIN | {"UseTokenCookie": True}):
        answer = Wire().post("/auth/credentials", wish)
        assert {morsel["samesite"] for morsel in answer.cookies.values()} == {"Lax"}
