"""What a page of another site can make a browser send."""

import json
from itertools import product

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
FORBIDDEN = (403, "Forbidden")
# At /auth a body of such a type is never read.
NOT_READ = (415, "UnsupportedMediaType")


def _login_body(type_: str) -> object:
    return json.dumps(LOGIN) if "plain" in type_.lower() else LOGIN if type_ == FORM else b"--b--"


login_paths = pytest.mark.parametrize("path", ["/auth/credentials", "/api/Authenticate", "/json/reply/Authenticate"])


@login_paths
def test_another_site_cannot_log_a_user_in(path, ursula, each):
    for type_, headers in product(UNASKED, FOREIGN):
        with each(f"{type_} {headers}"):
            answer = Wire().post(path, _login_body(type_), type_=type_, **headers)

            is_read = path != "/auth/credentials" or "plain" not in type_.lower()
            assert (answer.status, answer.error()["errorCode"]) == (FORBIDDEN if is_read else NOT_READ)
            assert sessions() == 0
            assert not answer.cookies


@login_paths
def test_a_report_of_another_site_tries_no_password(path, ursula, each):
    for type_, headers in product(REPORTS, FOREIGN):
        with each(f"{type_} {headers}"):
            for _ in range(5):
                answer = Wire().post(f"{path}?UserName={NAME}&Password=wrong", b"{}", type_=type_, **headers)
                is_read = path != "/auth/credentials"
                assert (answer.status, answer.error()["errorCode"]) == (FORBIDDEN if is_read else NOT_READ)

            assert Wire().post("/auth/credentials", LOGIN).status == 200, "the name is not locked"


@pytest.mark.parametrize(("method", "path"), [("GET", "/auth/logout"), ("POST", "/auth/logout"), ("DELETE", "/auth")])
def test_another_site_cannot_log_a_user_out(method, path, wire, each):
    wire.log_in()
    for headers in FOREIGN:
        with each(str(headers)):
            answer = wire.send(method, path, **headers)

            assert (answer.status, answer.error()["errorCode"]) == FORBIDDEN
            assert wire.who() == 200


def test_another_site_renews_nothing(wire, each):
    wire.log_in(UseTokenCookie=True)
    for headers in FOREIGN:
        with each(str(headers)):
            answer = wire.post("/api/GetAccessToken", **headers)

            assert (answer.status, answer.error()["errorCode"]) == FORBIDDEN
            assert not answer.cookies


def test_our_own_pages_do(ursula, each):
    for headers in OURS:
        with each(str(headers)):
            wire = Wire()

            assert wire.post("/auth/credentials", LOGIN, type_=FORM, **headers).status == 200
            assert wire.get("/auth/logout", **headers).status == 200


def test_a_json_type_is_enough(wire):
    assert wire.post("/auth/credentials", LOGIN, Origin=EVIL).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/auth", "/api/Authenticate", "/access-token", "/auth/credentials"])
def test_no_origin_is_granted_anything(path, method, wire):
    answer = wire.send(
        method, path, LOGIN if method == "POST" else b"", Origin=EVIL, Access_Control_Request_Method="POST"
    )

    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_session_and_token_cookies_are_not_sent_along_from_elsewhere(ursula):
    for wish in (LOGIN, LOGIN | {"UseTokenCookie": True}):
        answer = Wire().post("/auth/credentials", wish)
        assert {morsel["samesite"] for morsel in answer.cookies.values()} == {"Lax"}
