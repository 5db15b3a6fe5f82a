"""Providers that are asked with a header: jwt, apikey, and basic with an application's token."""

import base64

import pytest
from django.utils import timezone

from authn import tokens
from authn.models import ApplicationToken, AuditEvent
from authn.principals import system
from tests.authn.servicestack.wire import LOGIN, NOBODY, Wire

pytestmark = pytest.mark.django_db


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def key(db) -> str:
    return tokens.issue(name="ci", days=1, by=system("tests"))[1]


@pytest.mark.database
def test_an_application_is_told_who_it_is(key, wire):
    for path in ("/auth", "/auth/apikey"):
        answer = Wire().post(path, {}, **_bearer(key))
        assert answer.status == 200
        assert (answer.json()["userName"], answer.json()["roles"]) == ("ci", ["application"])
        assert not {"bearerToken", "refreshToken", "sessionId"} & set(answer.json())


def test_an_application_may_send_its_token_as_a_name(key, wire):
    basic = base64.b64encode(f"{key}:".encode()).decode()

    for path in ("/auth", "/auth/apikey", "/auth/basic"):
        assert Wire().post(path, {}, Authorization=f"Basic {basic}").json()["userName"] == "ci"


@pytest.mark.parametrize("path", ["/auth", "/auth/basic", "/auth/jwt", "/auth/apikey"])
def test_the_token_of_a_person_is_no_name(path, wire):
    basic = base64.b64encode(f"{wire.log_in()['bearerToken']}:".encode()).decode()

    answer = Wire().post(path, {}, Authorization=f"Basic {basic}")

    assert (answer.status, answer.error()) == (401, NOBODY)


def test_jwt_is_for_people_and_apikey_for_applications(key, wire):
    bearer = wire.log_in()["bearerToken"]

    for path, token in (("/auth/jwt", key), ("/auth/apikey", bearer)):
        answer = Wire().post(path, {}, **_bearer(token))
        assert (answer.status, answer.error()) == (401, NOBODY)
        assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{path}"'


@pytest.mark.parametrize("path", ["/auth", "/auth/apikey"])
def test_a_token_of_an_application_needs_a_scheme(path, key, wire):
    assert Wire().post(path, {}, Authorization=f"Digest {key}").status == 401


@pytest.mark.database
def test_a_token_that_is_unknown_or_over_is_told_so_where_a_provider_is_asked(key, wire):
    unknown = key[:-1] + ("0" if key[-1] != "0" else "1")

    as_name = {"Authorization": "Basic " + base64.b64encode(f"{unknown}:".encode()).decode()}

    assert Wire().post("/auth/apikey", {}, **_bearer(unknown)).error()["message"] == "ApiKey does not exist"
    assert Wire().post("/auth/basic", {}, **as_name).error()["message"] == "ApiKey does not exist"
    assert Wire().post("/auth", {}, **as_name).error() == NOBODY
    assert Wire().post("/auth", {}, **_bearer(unknown)).error() == NOBODY

    ApplicationToken.objects.update(revoked_at=timezone.now())

    assert Wire().post("/auth/apikey", {}, **_bearer(key)).status == 403
    assert [(row.action, row.code) for row in AuditEvent.objects.filter(outcome="refused")] == [
        ("request", "TOKEN_REVOKED")
    ]
    assert Wire().post("/auth", {}, **_bearer(key)).error() == NOBODY


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
def test_a_provider_of_headers_asks_for_one(headers, path, wire):
    answer = Wire().post(path, {}, **headers)

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{path}"'


@pytest.mark.database
def test_the_bearer_of_a_person_is_told_who_that_is_by_jwt(wire):
    login = wire.log_in()

    answer = Wire().post("/auth/jwt", {}, **_bearer(login["bearerToken"]))

    assert (answer.status, answer.json()["userName"]) == (200, LOGIN["UserName"])
    assert "bearerToken" not in answer.json()
