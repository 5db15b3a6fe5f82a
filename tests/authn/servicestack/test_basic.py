"""Basic authentication: points 35 and 36."""

import base64

import pytest

from authn.principals import system
from authn.users import update_user
from tests.authn.counts import failures
from tests.authn.servicestack.wire import INVALID, LOGIN, NAME, NOBODY, is_ordinary_login, sessions
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def _basic(name: str, password: str, encoding: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode()}


@pytest.mark.database
@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("POST", {})])
def test_point_35_name_and_password_tell_who_one_is(method, body, wire):
    answer = wire.send(method, "/auth", body, **_basic(NAME, PASSWORD))

    assert answer.status == 200
    assert answer.json()["userName"] == NAME
    assert not {"bearerToken", "sessionId"} & set(answer.json())
    assert not answer.cookies
    assert sessions() == 0


@pytest.mark.database
def test_point_35_a_wrong_password_is_refused_and_counted(wire):
    answer = wire.get("/auth", **_basic(NAME, "wrong"))

    assert (answer.status, answer.error()) == (401, INVALID)
    assert failures() == [1]


def test_point_35_nor_does_the_provider_take_it(wire):
    answer = wire.post("/auth/basic", {}, **_basic(NAME, "wrong"))

    assert (answer.status, answer.error()) == (401, INVALID)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="/auth/basic"'
    assert failures() == [1]
    assert sessions() == 0


@pytest.mark.database
def test_a_person_who_was_switched_off_is_asked_for_another_header(wire, ursula):
    update_user(ursula, by=system("tests"), is_active=False)

    answer = wire.post("/auth/basic", {}, **_basic(NAME, PASSWORD))

    assert (answer.status, answer.error()["errorCode"]) == (401, "AuthenticationException")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="/auth/basic"'


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
def test_point_35_a_malformed_header_is_nobody(path, header, wire):
    answer = wire.post(path, {}, Authorization=header)

    assert (answer.status, answer.error()) == (401, NOBODY)


@pytest.mark.database
def test_point_35_a_header_with_a_nul_is_nobody(wire):
    assert wire.get("/auth", **_basic(f"{NAME}\x00", PASSWORD)).error() == NOBODY


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_point_35_a_password_may_hold_colons_and_umlauts(encoding, wire, ursula):
    ursula.set_password("pässwort:mit:ü")
    ursula.save()

    assert wire.who(**_basic(NAME, "pässwort:mit:ü", encoding)) == 200


def test_point_36_without_a_header_one_is_asked_for_it(wire):
    answer = wire.post("/auth/basic", {})

    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="/auth/basic"'
    assert answer.error() == NOBODY


def test_point_36_the_body_does_not_stand_in_for_it(wire):
    assert wire.post("/auth/basic", LOGIN).status == 401


def test_with_a_header_the_provider_logs_in(wire):
    assert is_ordinary_login(wire.post("/auth/basic", {}, **_basic(NAME, PASSWORD)))
