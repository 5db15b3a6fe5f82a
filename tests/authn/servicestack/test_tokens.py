"""Access tokens and refresh tokens: headers, token cookies and GetAccessToken."""

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
from tests.authn.servicestack.wire import LOGIN, NOT_AUTHENTICATED, Wire
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
def test_a_bearer_token_authenticates(method, body, word, wire):
    login = wire.log_in()

    response = Wire().send(method, "/auth", body, **_bearer(login["bearerToken"], word))

    assert response.status == 200
    assert response.json()["userId"] == login["userId"]
    assert not {"bearerToken", "refreshToken", "sessionId"} & set(response.json())


def test_the_bearer_token_is_valid_for_the_api(wire):
    assert Caller(wire.log_in()["bearerToken"]).get(ORGS).status_code == 200


@pytest.mark.database
def test_a_bearer_token_of_the_api_is_valid_here(owner):
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
def test_an_invalid_access_token_is_not_authenticated(make, wire):
    token = make(wire.log_in())

    response = Wire().get("/auth", **_bearer(token))

    assert (response.status, response.error()) == (401, NOT_AUTHENTICATED)


def test_an_expired_access_token_is_not_authenticated(wire):
    login = wire.log_in()

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert Wire().who(**_bearer(login["bearerToken"])) == 401


@pytest.mark.parametrize("make", [_changed, _refresh_token])
def test_an_invalid_bearer_token_overrides_a_valid_session(make, wire):
    login = wire.log_in()

    assert wire.who(**_bearer(make(login))) == 401


@pytest.mark.database
def test_refresh_tokens_of_this_service_and_of_the_api_are_not_interchangeable(wire, anonymous):
    login = wire.log_in()
    pair = anonymous.post("/sfp/api/auth/admin/login", {"email": LOGIN["UserName"], "password": PASSWORD}).json()

    elsewhere = anonymous.post("/sfp/api/auth/refresh", {"refresh_token": login["refreshToken"]})

    assert elsewhere.refusal == (401, "REFRESH_INVALID")
    assert _refresh(pair["refresh_token"]).refusal == (400, "ArgumentException")
    assert Caller(login["refreshToken"]).get(ORGS).refusal == (401, "TOKEN_INVALID")


@pytest.mark.database
def test_a_deactivated_user_is_not_authenticated(wire, ursula):
    login = wire.log_in()

    update_user(ursula, by=system("tests"), is_active=False)

    assert Wire().who(**_bearer(login["bearerToken"])) == 401
    assert wire.who() == 401
    response = _refresh(login["refreshToken"])
    assert (response.status, response.error()["errorCode"]) == (401, "AuthenticationException")


@pytest.mark.database
def test_the_next_access_token_has_the_new_role(wire, ursula):
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
def test_a_refresh_token_gives_a_new_access_token(name, path, wire):
    login = wire.log_in()

    response = Wire().post(path, {name: login["refreshToken"]})

    assert response.status == 200
    assert set(response.json()) == {"accessToken", "responseStatus"}
    token = response.json()["accessToken"]
    assert token.count(".") == 2
    assert token != login["bearerToken"]
    assert Wire().who(**_bearer(token)) == 200
    assert not response.cookies


@pytest.mark.database
def test_the_refresh_token_is_not_rotated(wire):
    login = wire.log_in()

    assert [_refresh(login["refreshToken"]).status for _ in range(3)] == [200, 200, 200]
    assert AuditEvent.objects.filter(action="person.login_refreshed", outcome="granted").count() == 3


def test_an_expired_bearer_token_does_not_prevent_a_refresh(wire):
    login = wire.log_in()

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        response = _refresh(login["refreshToken"], "/api/GetAccessToken", **_bearer(login["bearerToken"]))

    assert response.status == 200


def test_a_refresh_without_a_token_is_a_missing_value(wire):
    response = Wire().post(REFRESH, {})

    assert response.status == 400
    assert response.error()["errorCode"] == "ArgumentNullException"
    assert response.error()["errors"][0]["fieldName"] == "RefreshToken"


@pytest.mark.parametrize("value", ["nonsense", "a.b.c", "ü" * 20, "x" * 60_000])
def test_a_malformed_refresh_token_is_refused(value, wire):
    response = _refresh(value)

    assert response.status == 400
    assert (response.error()["errorCode"], response.error()["message"]) == ("ArgumentException", "Token is invalid")


def test_an_expired_refresh_token_is_reported_as_expired(wire):
    login = wire.log_in()

    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
        response = _refresh(login["refreshToken"])

    assert response.status == 401
    assert (response.error()["errorCode"], response.error()["message"]) == ("TokenException", "Token has expired")


def test_an_access_token_is_not_accepted_as_a_refresh_token(wire):
    response = _refresh(wire.log_in()["bearerToken"])

    assert (response.status, response.error()["errorCode"]) == (400, "ArgumentException")


@pytest.mark.database
def test_a_refresh_token_of_an_ended_log_in_is_refused(wire):
    login = wire.log_in()
    LoginFamily.objects.update(revoked_at=timezone.now())

    response = _refresh(login["refreshToken"])

    assert (response.status, response.error()["errorCode"]) == (401, "TokenException")
    assert AuditEvent.objects.filter(action="person.login_refreshed", outcome="refused").count() == 1


@pytest.mark.database
def test_a_refresh_token_of_a_deleted_user_is_not_found(wire, ursula):
    login = wire.log_in()
    ursula.delete()

    response = _refresh(login["refreshToken"])

    assert (response.status, response.error()["message"]) == (404, "User does not exist")


@pytest.mark.database
def test_a_refresh_token_ends_with_the_password(wire, ursula):
    login = wire.log_in()

    ursula.set_password("another-horse-battery")
    ursula.save()

    assert _refresh(login["refreshToken"]).refusal == (401, "TokenException")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_a_refresh_token_is_accepted_by_post_only(method, wire):
    login = wire.log_in()

    for path in (REFRESH, "/api/GetAccessToken"):
        response = Wire().send(method, f"{path}?RefreshToken={login['refreshToken']}")
        assert response.status == 405
        assert response.headers["Allow"] == "POST, OPTIONS"
