"""Basic authentication, with and without the provider `basic`."""

import base64

import pytest

from authn.principals import system
from authn.users import update_user
from tests.authn.counts import failures
from tests.authn.servicestack.wire import INVALID, LOGIN, NAME, NOT_AUTHENTICATED, is_ordinary_login, sessions
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def _basic(name: str, password: str, encoding: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode()}


@pytest.mark.database
@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("POST", {})])
def test_name_and_password_authenticate(method, body, wire):
    response = wire.send(method, "/auth", body, **_basic(NAME, PASSWORD))

    assert response.status == 200
    assert response.json()["userName"] == NAME
    assert not {"bearerToken", "sessionId"} & set(response.json())
    assert not response.cookies
    assert sessions() == 0


@pytest.mark.database
def test_a_wrong_password_is_refused_and_counted(wire):
    response = wire.get("/auth", **_basic(NAME, "wrong"))

    assert (response.status, response.error()) == (401, INVALID)
    assert failures() == [1]


def test_the_provider_refuses_a_wrong_password(wire):
    response = wire.post("/auth/basic", {}, **_basic(NAME, "wrong"))

    assert (response.status, response.error()) == (401, INVALID)
    assert response.headers["WWW-Authenticate"] == 'Basic realm="/auth/basic"'
    assert failures() == [1]
    assert sessions() == 0


@pytest.mark.database
def test_a_deactivated_user_gets_a_basic_challenge(wire, ursula):
    update_user(ursula, by=system("tests"), is_active=False)

    response = wire.post("/auth/basic", {}, **_basic(NAME, PASSWORD))

    assert (response.status, response.error()["errorCode"]) == (401, "AuthenticationException")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="/auth/basic"'


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic dXNlcg==",
        "Basic dTpw!",
        "Basic AAAA",
        "Basic Og==",
        "Basic ü",
        "Digest x",
        "x",
    ],
)
@pytest.mark.parametrize("path", ["/auth", "/auth/basic"])
def test_a_malformed_header_is_not_authenticated(path, header, wire):
    response = wire.post(path, {}, Authorization=header)

    assert (response.status, response.error()) == (401, NOT_AUTHENTICATED)


@pytest.mark.database
def test_a_header_with_a_nul_is_not_authenticated(wire):
    assert wire.get("/auth", **_basic(f"{NAME}\x00", PASSWORD)).error() == NOT_AUTHENTICATED


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_password_may_hold_colons_and_umlauts(encoding, wire, ursula):
    ursula.set_password("pässwort:mit:ü")
    ursula.save()

    assert wire.who(**_basic(NAME, "pässwort:mit:ü", encoding)) == 200


def test_a_request_without_a_header_gets_a_basic_challenge(wire):
    response = wire.post("/auth/basic", {})

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="/auth/basic"'
    assert response.error() == NOT_AUTHENTICATED


def test_a_password_in_the_body_does_not_replace_the_header(wire):
    assert wire.post("/auth/basic", LOGIN).refusal == (401, "Unauthorized")


def test_with_a_header_the_provider_logs_in(wire):
    assert is_ordinary_login(wire.post("/auth/basic", {}, **_basic(NAME, PASSWORD)))
