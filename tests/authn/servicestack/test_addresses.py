"""What addresses name, and what stands beside a message: points 54, 55, 57, 58 and 62."""

import json

import pytest

from authn.models import AuditEvent
from tests.authn.servicestack.wire import LOGIN, NAME, NOBODY, is_ordinary_login, sessions
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_point_54_the_path_beats_the_body(wire):
    assert is_ordinary_login(wire.post("/auth/credentials", LOGIN | {"provider": "nosuch"}))
    assert wire.post("/auth/nosuch", LOGIN | {"provider": "credentials"}).status == 404


def test_point_54_the_query_beats_the_path(wire):
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
def test_point_54_but_a_get_never_passes_as_a_log_in(path, wire):
    answer = wire.get(path)

    assert (answer.status, sessions()) == (405, 0)


def test_point_54_nor_does_one_with_a_body(wire):
    for body in (LOGIN, LOGIN | {"provider": "credentials"}):
        assert wire.send("GET", "/auth", json.dumps(body), type_="application/json").status == 405
    assert sessions() == 0


@pytest.mark.database
@pytest.mark.parametrize("junk", ["20 Nov 2046 00:00:00 GMT=null", "a", "=", "é=ü", "[]{}=();", '"'])
def test_point_55_junk_among_the_cookies_does_no_harm(junk, wire):
    session = wire.log_in()["sessionId"]
    cookie = f"ss-pid=p1; {junk}; ss-id={session}; ss-opt=temp"

    assert wire.get("/auth", Cookie=cookie).status == 200


@pytest.mark.parametrize("name", ["salesforce", "Salesforce"])
def test_point_57_salesforce_is_no_provider(name, wire):
    answer = wire.post("/auth", {"provider": name, "AccessToken": "00D!x", "UserName": NAME, "Password": PASSWORD})

    assert answer.status == 404
    assert answer.error()["message"] == f"No configuration was added for OAuth provider '{name}'"
    assert not AuditEvent.objects.exists()


def test_point_58_digest_is_no_provider(wire):
    assert wire.post("/auth/digest", {}).status == 404
    assert wire.get("/auth", Authorization='Digest username="u", realm="r"').error() == NOBODY


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    ["/api/Authenticate[]", "/api/Authenticate%5B%5D", "/json/reply/Authenticate[]", "/api/nosuch", "/json/oneway/x"],
)
def test_point_62_a_batch_is_no_operation(path, method, wire):
    answer = wire.send(method, path, json.dumps([LOGIN] * 2), type_="application/json")

    assert answer.status == 404
    assert answer.error()["errorCode"] == "NotFound"
    assert sessions() == 0


@pytest.mark.parametrize(
    "path", ["/auth/credentials/x", "/auth//", "/authx", "/auth.nosuch", "/xauth", "/api", "/yaml/reply/Authenticate"]
)
def test_other_addresses_are_not_found(path, wire):
    assert wire.post(path, LOGIN).status == 404


@pytest.mark.database
@pytest.mark.parametrize(
    "path", ["/auth/%00", "/auth/a%00b", "/auth?UserName=%00", "/auth?provider=%00", "/auth?Meta={a:%00}"]
)
def test_a_nul_is_refused(path, wire):
    assert wire.post(path, {"Password": "x"}).status == 400


@pytest.mark.database
@pytest.mark.parametrize(
    "path", ["/auth/%ff%fe", "/auth?UserName=%ff", "/auth/..", "/auth/%F0%9F%92%A9", "/auth/'\"<>"]
)
def test_odd_bytes_in_an_address_are_answered(path, wire):
    assert wire.post(path, {"Password": "x"}).status in (400, 401, 404)


def test_too_many_parameters_are_refused(wire):
    query = "&".join(f"k{number}=v" for number in range(2000))

    answer = wire.post(f"/auth?{query}", {})

    assert (answer.status, answer.error()["errorCode"]) == (400, "SerializationException")
