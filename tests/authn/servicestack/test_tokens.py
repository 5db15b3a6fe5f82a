"""Access tokens and refresh tokens: points 27 to 34."""

import base64
import json
from datetime import timedelta

import jwt
import pytest
import time_machine
from django.utils import timezone

from authn.models import AuditEvent, LoginFamily, User
from authn.principals import system
from authn.roles import Role
from authn.users import update_user
from tests.authn.servicestack.wire import LOGIN, NOBODY, Wire, sessions
from tests.conftest import PASSWORD
from tests.support.api_client import Caller

pytestmark = pytest.mark.django_db
ORGS = "/sfp/api/auth/salesforce/orgs"
REFRESH = "/access-token"


def _bearer(token: str, word: str = "Bearer") -> dict[str, str]:
    return {"Authorization": f"{word} {token}"}


def _part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _refresh(token: str, path: str = REFRESH, **headers: str):
    return Wire().post(path, {"refreshToken": token}, **headers)


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("POST", {})])
def test_point_27_a_bearer_tells_who_one_is(method, body, word, wire):
    login = wire.log_in()

    answer = Wire().send(method, "/auth", body, **_bearer(login["bearerToken"], word))

    assert answer.status == 200
    assert answer.json()["userId"] == login["userId"]
    assert not {"bearerToken", "refreshToken", "sessionId"} & set(answer.json())


def test_point_27_the_bearer_is_good_at_the_rest_of_the_desk(wire):
    assert Caller(wire.log_in()["bearerToken"]).get(ORGS).status_code == 200


@pytest.mark.database
def test_a_bearer_of_the_rest_of_the_desk_is_good_here(owner):
    assert Wire().who(**_bearer(owner.bearer)) == 200


def _forged(login):
    claims = jwt.decode(login["bearerToken"], options={"verify_signature": False})
    return jwt.encode(claims, "another-key-" + "k" * 40, "HS256")


def _changed(login):
    start, _, signature = login["bearerToken"].rpartition(".")
    return f"{start}.{signature[:-4]}AAAA"


def _unsigned(login):
    payload = login["bearerToken"].split(".")[1]
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{payload}."


def _refresh_token(login):
    return login["refreshToken"]


def _no_token(_):
    return "x" * 5000


@pytest.mark.parametrize("make", [_forged, _changed, _unsigned, _refresh_token, _no_token])
def test_point_28_what_is_no_access_token_is_nobody(make, wire):
    token = make(wire.log_in())

    answer = Wire().get("/auth", **_bearer(token))

    assert (answer.status, answer.error()) == (401, NOBODY)


def test_point_28_an_expired_access_token_is_nobody(wire):
    login = wire.log_in()

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert Wire().who(**_bearer(login["bearerToken"])) == 401


@pytest.mark.parametrize("make", [_changed, _refresh_token])
def test_point_28_a_bad_bearer_beside_a_good_session_is_nobody(make, wire):
    login = wire.log_in()

    assert wire.who(**_bearer(make(login))) == 401


@pytest.mark.database
def test_point_28_a_refresh_token_of_here_is_none_elsewhere_nor_the_other_way_round(wire, anonymous):
    login = wire.log_in()
    pair = anonymous.post("/sfp/api/auth/admin/login", {"email": LOGIN["UserName"], "password": PASSWORD}).json()

    assert anonymous.post("/sfp/api/auth/refresh", {"refresh_token": login["refreshToken"]}).status_code == 401
    assert _refresh(pair["refresh_token"]).status == 400
    assert Caller(login["refreshToken"]).get(ORGS).status_code == 401


@pytest.mark.database
def test_point_29_a_switched_off_person_is_nobody(wire, ursula):
    login = wire.log_in()

    update_user(ursula, by=system("tests"), is_active=False)

    assert Wire().who(**_bearer(login["bearerToken"])) == 401
    assert wire.who() == 401
    answer = _refresh(login["refreshToken"])
    assert (answer.status, answer.error()["errorCode"]) == (401, "AuthenticationException")


@pytest.mark.database
def test_point_29_the_next_access_token_tells_of_a_new_role(wire, ursula):
    login = wire.log_in()
    User.objects.filter(pk=ursula.pk).update(role=Role.OWNER)

    token = _refresh(login["refreshToken"]).json()["accessToken"]

    assert jwt.decode(login["bearerToken"], options={"verify_signature": False})["roles"] == []
    assert jwt.decode(token, options={"verify_signature": False})["roles"] == ["owner"]
    assert Wire().get("/auth", **_bearer(token)).json()["roles"] == ["owner"]


@pytest.mark.parametrize(
    "path", [REFRESH, "/Access-Token/", "/access-token.json", "/api/GetAccessToken", "/json/reply/GetAccessToken"]
)
@pytest.mark.parametrize("name", ["refreshToken", "RefreshToken", "refreshtoken"])
def test_point_30_a_refresh_token_gives_a_new_access_token(name, path, wire):
    login = wire.log_in()

    answer = Wire().post(path, {name: login["refreshToken"]})

    assert answer.status == 200
    assert set(answer.json()) == {"accessToken", "responseStatus"}
    token = answer.json()["accessToken"]
    assert token.count(".") == 2
    assert token != login["bearerToken"]
    assert Wire().who(**_bearer(token)) == 200
    assert not answer.cookies


@pytest.mark.database
def test_point_30_the_refresh_token_stays(wire):
    login = wire.log_in()

    assert [_refresh(login["refreshToken"]).status for _ in range(3)] == [200, 200, 200]
    assert AuditEvent.objects.filter(action="person.login_refreshed", outcome="granted").count() == 3


def test_point_31_an_expired_bearer_beside_it_does_no_harm(wire):
    login = wire.log_in()

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        answer = _refresh(login["refreshToken"], "/api/GetAccessToken", **_bearer(login["bearerToken"]))

    assert answer.status == 200


def test_point_32_nothing_is_a_missing_value(wire):
    answer = Wire().post(REFRESH, {})

    assert answer.status == 400
    assert answer.error()["errorCode"] == "ArgumentNullException"
    assert answer.error()["errors"][0]["fieldName"] == "RefreshToken"


@pytest.mark.parametrize("value", ["nonsense", "a.b.c", "ü" * 20, "x" * 60_000])
def test_point_32_nonsense_is_refused(value, wire):
    answer = _refresh(value)

    assert answer.status == 400
    assert (answer.error()["errorCode"], answer.error()["message"]) == ("ArgumentException", "Token is invalid")


def test_point_32_an_expired_one_is_told_so(wire):
    login = wire.log_in()

    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
        answer = _refresh(login["refreshToken"])

    assert answer.status == 401
    assert (answer.error()["errorCode"], answer.error()["message"]) == ("TokenException", "Token has expired")


def test_point_32_an_access_token_is_no_refresh_token(wire):
    answer = _refresh(wire.log_in()["bearerToken"])

    assert (answer.status, answer.error()["errorCode"]) == (400, "ArgumentException")


@pytest.mark.database
def test_point_32_an_ended_one_is_refused(wire):
    login = wire.log_in()
    LoginFamily.objects.update(revoked_at=timezone.now())

    answer = _refresh(login["refreshToken"])

    assert (answer.status, answer.error()["errorCode"]) == (401, "TokenException")
    assert AuditEvent.objects.filter(action="person.login_refreshed", outcome="refused").count() == 1


@pytest.mark.database
def test_point_32_one_of_nobody_is_not_found(wire, ursula):
    login = wire.log_in()
    ursula.delete()

    answer = _refresh(login["refreshToken"])

    assert (answer.status, answer.error()["message"]) == (404, "User does not exist")


@pytest.mark.database
def test_a_refresh_token_ends_with_the_password(wire, ursula):
    login = wire.log_in()

    ursula.set_password("another-horse-battery")
    ursula.save()

    assert _refresh(login["refreshToken"]).status == 401


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_a_refresh_token_is_taken_by_post_alone(method, wire):
    login = wire.log_in()

    for path in (REFRESH, "/api/GetAccessToken"):
        answer = Wire().send(method, f"{path}?RefreshToken={login['refreshToken']}")
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST, OPTIONS"


@pytest.mark.database
def test_point_33_a_log_in_may_live_in_cookies_of_tokens(wire):
    answer = wire.post("/auth/credentials", LOGIN | {"UseTokenCookie": True})

    assert answer.status == 200
    assert set(answer.cookies) == {"X-UAId", "ss-tok", "ss-reftok"}
    assert answer.cookies["ss-tok"].value == answer.json()["bearerToken"]
    assert all(morsel["httponly"] and morsel["path"] == "/" for morsel in answer.cookies.values())
    assert answer.headers["X-Cookies"] == "ss-tok,ss-reftok"
    assert sessions() == 0
    assert "sessionId" not in answer.json()


@pytest.mark.database
def test_point_33_the_cookie_alone_tells_who_one_is(wire):
    wire.log_in(UseTokenCookie=True)
    alone = Wire()
    alone.client.cookies["ss-tok"] = wire.cookie("ss-tok")

    assert alone.who() == 200


def test_a_log_in_with_a_session_ends_the_cookies_of_tokens(wire):
    wire.log_in(UseTokenCookie=True)

    answer = wire.post("/auth/credentials", LOGIN)

    assert (answer.cookies["ss-tok"].value, answer.cookies["ss-reftok"].value) == ("", "")
    assert wire.get("/auth").json()["sessionId"] == answer.json()["sessionId"]


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


def test_a_refused_log_in_leaves_the_tokens_in_cookies_alone(wire):
    wire.log_in(UseTokenCookie=True)

    wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert wire.who() == 200


def test_a_log_in_leaves_a_bearer_in_the_header_alone(wire):
    bearer = wire.log_in()["bearerToken"]

    Wire().post("/auth/credentials", LOGIN, **_bearer(bearer))

    assert Wire().who(**_bearer(bearer)) == 200


def test_a_cookie_of_a_token_that_is_over_is_deleted(wire):
    wire.client.cookies["ss-tok"] = "a.b.c"

    answer = wire.get("/auth")

    assert answer.status == 401
    assert answer.cookies["ss-tok"].value == ""
    assert "X-Cookies" not in answer.headers


@pytest.mark.database
def test_point_34_a_refresh_token_in_a_cookie_is_answered_by_a_cookie(wire):
    wire.log_in(UseTokenCookie=True)
    alone = Wire()
    alone.client.cookies["ss-reftok"] = wire.cookie("ss-reftok")

    answer = alone.post("/api/GetAccessToken", {})

    assert (answer.status, answer.json()) == (200, {"responseStatus": {}})
    assert set(answer.cookies) == {"ss-tok"}
    assert answer.headers["X-Cookies"] == "ss-tok"
    assert alone.who() == 200


@pytest.mark.database
def test_point_34_so_is_one_in_the_body_where_that_is_wished(wire):
    login = wire.log_in()

    answer = Wire().post("/api/GetAccessToken", {"refreshToken": login["refreshToken"], "useTokenCookie": True})

    assert answer.json() == {"responseStatus": {}}
    assert set(answer.cookies) == {"ss-tok"}
