"""Providers of the Authorization header: jwt, apikey, and basic with an application token."""

import base64

import pytest
from django.utils import timezone

from authn import tokens
from authn.models import ApplicationToken, AuditEvent
from authn.principals import system
from tests.authn.servicestack.wire import LOGIN, NOT_AUTHENTICATED, Wire

pytestmark = pytest.mark.django_db


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def key(db) -> str:
    return tokens.issue(name="ci", days=1, by=system("tests"))[1]


@pytest.mark.database
def test_an_application_token_authenticates(key, wire):
    for path in ("/auth", "/auth/apikey"):
        response = Wire().post(path, {}, **_bearer(key))
        assert response.status == 200
        assert (response.json()["userName"], response.json()["roles"]) == ("ci", ["application"])
        assert not {"bearerToken", "refreshToken", "sessionId"} & set(response.json())


def test_an_application_may_send_its_token_as_a_name(key, wire):
    basic = base64.b64encode(f"{key}:".encode()).decode()

    for path in ("/auth", "/auth/apikey", "/auth/basic"):
        assert Wire().post(path, {}, Authorization=f"Basic {basic}").json()["userName"] == "ci"


@pytest.mark.parametrize("path", ["/auth", "/auth/basic", "/auth/jwt", "/auth/apikey"])
def test_the_token_of_a_user_is_not_accepted_as_a_name(path, wire):
    basic = base64.b64encode(f"{wire.log_in()['bearerToken']}:".encode()).decode()

    response = Wire().post(path, {}, Authorization=f"Basic {basic}")

    assert (response.status, response.error()) == (401, NOT_AUTHENTICATED)


def test_jwt_is_for_users_and_apikey_for_applications(key, wire):
    bearer = wire.log_in()["bearerToken"]

    for path, token in (("/auth/jwt", key), ("/auth/apikey", bearer)):
        response = Wire().post(path, {}, **_bearer(token))
        assert (response.status, response.error()) == (401, NOT_AUTHENTICATED)
        assert response.headers["WWW-Authenticate"] == f'Bearer realm="{path}"'


@pytest.mark.parametrize("path", ["/auth", "/auth/apikey"])
def test_a_token_of_an_application_needs_a_scheme(path, key, wire):
    assert Wire().post(path, {}, Authorization=f"Digest {key}").refusal == (401, "Unauthorized")


@pytest.mark.database
def test_a_provider_reports_an_unknown_or_ended_token(key, wire):
    unknown = key[:-1] + ("0" if key[-1] != "0" else "1")

    as_name = {"Authorization": "Basic " + base64.b64encode(f"{unknown}:".encode()).decode()}

    assert Wire().post("/auth/apikey", {}, **_bearer(unknown)).error()["message"] == "ApiKey does not exist"
    assert Wire().post("/auth/basic", {}, **as_name).error()["message"] == "ApiKey does not exist"
    assert Wire().post("/auth", {}, **as_name).error() == NOT_AUTHENTICATED
    assert Wire().post("/auth", {}, **_bearer(unknown)).error() == NOT_AUTHENTICATED

    ApplicationToken.objects.update(revoked_at=timezone.now())

    assert Wire().post("/auth/apikey", {}, **_bearer(key)).status == 403
    assert [(row.action, row.code) for row in AuditEvent.objects.filter(outcome="refused")] == [
        ("request", "TOKEN_REVOKED")
    ]
    assert Wire().post("/auth", {}, **_bearer(key)).error() == NOT_AUTHENTICATED


@pytest.mark.parametrize("path", ["/auth/jwt", "/auth/apikey"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Basic YTpi"},
    ],
)
def test_a_header_provider_challenges_a_request_without_the_header(headers, path, wire):
    response = Wire().post(path, {}, **headers)

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == f'Bearer realm="{path}"'


@pytest.mark.database
def test_jwt_returns_the_user_of_a_bearer_token(wire):
    login = wire.log_in()

    response = Wire().post("/auth/jwt", {}, **_bearer(login["bearerToken"]))

    assert (response.status, response.json()["userName"]) == (200, LOGIN["UserName"])
    assert "bearerToken" not in response.json()
