"""URLs, query and cookies: what overrides what, and what is not found or refused."""

import json

import pytest

from authn.models import AuditEvent
from tests.authn.servicestack.wire import LOGIN, NAME, NOT_AUTHENTICATED, is_ordinary_login, sessions
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_the_path_overrides_the_body(wire):
    assert is_ordinary_login(wire.post("/auth/credentials", LOGIN | {"provider": "nosuch"}))
    assert wire.post("/auth/nosuch", LOGIN | {"provider": "credentials"}).status == 404


def test_the_query_overrides_the_path(wire):
    wire.log_in()

    assert wire.post("/auth/credentials?provider=nosuch", LOGIN).status == 404
    assert wire.post("/auth/credentials?provider=logout", LOGIN).json() == {"responseStatus": {}}
    assert sessions() == 0


@pytest.mark.parametrize(
    "path",
    [
        f"/auth/credentials?provider=logout&UserName={NAME}&Password={PASSWORD}",
        f"/auth/logout?provider=credentials&UserName={NAME}&Password={PASSWORD}",
        f"/auth/credentials?provider=&UserName={NAME}&Password={PASSWORD}",
    ],
)
def test_a_get_whose_query_overrides_the_provider_does_not_log_in(path, wire):
    response = wire.get(path)

    assert (response.status, sessions()) == (405, 0)


def test_a_get_with_a_body_does_not_log_in(wire):
    for body in (LOGIN, LOGIN | {"provider": "credentials"}):
        assert wire.send("GET", "/auth", json.dumps(body), type_="application/json").status == 405
    assert sessions() == 0


@pytest.mark.database
@pytest.mark.parametrize("junk", ["20 Nov 2046 00:00:00 GMT=null", "a", "=", "é=ü", "[]{}=();", '"'])
def test_malformed_cookies_are_ignored(junk, wire):
    session = wire.log_in()["sessionId"]
    cookie = f"ss-pid=p1; {junk}; ss-id={session}; ss-opt=temp"

    assert wire.get("/auth", Cookie=cookie).status == 200


@pytest.mark.parametrize("name", ["salesforce", "Salesforce"])
def test_salesforce_is_not_a_provider(name, wire):
    response = wire.post("/auth", {"provider": name, "AccessToken": "00D!x", "UserName": NAME, "Password": PASSWORD})

    assert response.status == 404
    assert response.error()["message"] == f"No configuration was added for OAuth provider '{name}'"
    assert not AuditEvent.objects.exists()


def test_digest_is_not_a_provider(wire):
    assert wire.post("/auth/digest", {}).status == 404
    assert wire.get("/auth", Authorization='Digest username="u", realm="r"').error() == NOT_AUTHENTICATED


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    ["/api/Authenticate[]", "/api/Authenticate%5B%5D", "/json/reply/Authenticate[]", "/api/nosuch", "/json/oneway/x"],
)
def test_a_batch_is_not_an_operation(path, method, wire):
    response = wire.send(method, path, json.dumps([LOGIN] * 2), type_="application/json")

    assert response.status == 404
    assert response.error()["errorCode"] == "NotFound"
    assert sessions() == 0


@pytest.mark.parametrize(
    "path", ["/auth/credentials/x", "/auth//", "/authx", "/auth.nosuch", "/xauth", "/api", "/yaml/reply/Authenticate"]
)
def test_other_urls_are_not_found(path, wire):
    response = wire.post(path, LOGIN)

    assert response.status == 404
    assert json.loads(response.text)["code"] == "NOT_FOUND"


@pytest.mark.database
@pytest.mark.parametrize(
    "path", ["/auth/%00", "/auth/a%00b", "/auth?UserName=%00", "/auth?provider=%00", "/auth?Meta={a:%00}"]
)
def test_a_nul_is_refused(path, wire):
    assert wire.post(path, {"Password": "x"}).refusal == (400, "SerializationException")


@pytest.mark.database
@pytest.mark.parametrize(
    ("path", "status"),
    [("/auth/%ff%fe", 404), ("/auth?UserName=%ff", 401), ("/auth/..", 404), ("/auth/%F0%9F%92%A9", 404)]
    + [("/auth/'\"<>", 404)],
)
def test_invalid_bytes_in_a_url_are_handled(path, status, wire):
    assert wire.post(path, {"Password": "x"}).status == status


def test_too_many_parameters_are_refused(wire):
    query = "&".join(f"k{number}=v" for number in range(2000))

    response = wire.post(f"/auth?{query}", {})

    assert (response.status, response.error()["errorCode"]) == (400, "SerializationException")
