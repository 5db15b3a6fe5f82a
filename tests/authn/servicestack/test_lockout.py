"""Lockout and rate limits: one count for every way to log in, format and spelling of a name."""

import base64
import json
from datetime import timedelta

import pytest
from django.test import Client

from tests.authn.counts import failures, let_pass
from tests.authn.servicestack.wire import FORM, LOGIN, NAME, Wire, jsv_login, sessions, xml_login
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
WRONG = LOGIN | {"Password": "wrong"}


def _basic(password: str, name: str = NAME) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def _tries(password: str):
    """Return one attempt for each way to log in."""
    login = LOGIN | {"Password": password}
    return {
        "json": lambda wire: wire.post("/auth/credentials", login),
        "upper case": lambda wire: wire.post("/auth/credentials", login | {"UserName": NAME.upper()}),
        "full width": lambda wire: wire.post("/auth", login | {"UserName": f" {NAME.replace('u', 'ｕ', 1)}"}),
        "form": lambda wire: wire.post("/auth/credentials", login, type_=FORM),
        "jsv": lambda wire: wire.post("/jsv/reply/Authenticate", jsv_login(password)),
        "xml": lambda wire: wire.post("/xml/reply/Authenticate", xml_login(password)),
        "csv": lambda wire: wire.post("/csv/reply/Authenticate", f"UserName,Password\r\n{NAME},{password}"),
        "text": lambda wire: wire.post("/api/Authenticate", json.dumps(login), type_="text/plain"),
        "query": lambda wire: wire.post(f"/auth/login?UserName={NAME}&Password={password}"),
        "basic": lambda wire: wire.get("/auth", **_basic(password)),
        "basic log-in": lambda wire: wire.post("/auth/basic", {}, **_basic(password)),
        "page": lambda wire: wire.post("/auth/credentials", login, type_=FORM, accept="text/html"),
    }


def test_every_way_to_log_in_is_locked_after_five_wrong_passwords(wire, each):
    for _ in range(5):
        assert wire.post("/auth/credentials", WRONG).status == 401
    for last, log_in in _tries(PASSWORD).items():
        with each(last):
            response = log_in(Wire())

            assert response.status == 429
            assert 0 < int(response.headers["Retry-After"]) <= 15 * 60 + 1
            assert "TooManyRequests" in response.text
            assert sessions() == 0


def test_a_wrong_password_counts_for_every_way_to_log_in(wire, each):
    for how, log_in in _tries("wrong").items():
        with each(how):
            for _ in range(5):
                assert log_in(wire).status == 401

            assert wire.post("/auth/credentials", LOGIN).refusal == (429, "TooManyRequests")


@pytest.mark.database
def test_the_api_shares_the_count(wire, anonymous):
    rest = {"email": NAME, "password": "wrong"}
    for _ in range(3):
        anonymous.post("/sfp/api/auth/admin/login", rest)
    for _ in range(2):
        wire.post("/auth/credentials", WRONG)

    assert wire.post("/auth/credentials", LOGIN).refusal == (429, "TooManyRequests")
    assert anonymous.post("/sfp/api/auth/admin/login", rest | {"password": PASSWORD}).refusal == (429, "LOGIN_LOCKED")


def test_the_log_in_page_shares_the_count(wire):
    page = {"email": NAME, "password": "wrong"}
    for _ in range(3):
        assert Client().post("/login", page).status_code == 200
    for _ in range(2):
        assert wire.post("/auth/credentials", WRONG).status == 401

    assert wire.post("/auth/credentials", LOGIN).status == 429
    refused = Client().post("/login", page | {"password": PASSWORD})
    assert (refused.status_code, "locked" in refused.content.decode()) == (200, True)


@pytest.mark.database
def test_the_log_in_page_shares_the_limit_of_an_address(wire):
    for number in range(30):
        Client().post("/login", {"email": f"{number}@x.example", "password": "wrong"})
        wire.post("/auth/credentials", WRONG | {"UserName": f"{number}@y.example"})

    assert wire.post("/auth/credentials", LOGIN).status == 429
    assert Client().post("/login", {"email": NAME, "password": PASSWORD}).status_code == 429


@pytest.mark.database
def test_an_unknown_name_is_locked_in_the_same_way(wire):
    unknown = WRONG | {"UserName": "nobody@acme.example"}
    statuses = [wire.post("/auth/credentials", unknown).status for _ in range(6)]

    assert statuses == [401] * 5 + [429]


@pytest.mark.database
def test_the_lock_expires(wire):
    for _ in range(5):
        wire.post("/auth/credentials", WRONG)

    let_pass(timedelta(minutes=15))

    assert wire.post("/auth/credentials", LOGIN).status == 200


@pytest.mark.database
@pytest.mark.parametrize("how", ["json", "basic", "basic log-in"])
def test_a_right_password_resets_the_count(how, wire):
    for _ in range(4):
        wire.post("/auth/credentials", WRONG)

    assert _tries(PASSWORD)[how](wire).status == 200

    assert failures() == failures("") == [0]


@pytest.mark.database
def test_one_address_may_not_try_many_names(wire):
    statuses = [wire.post("/auth/credentials", WRONG | {"UserName": f"{n}@x.example"}).status for n in range(62)]

    assert statuses == [401] * 60 + [429] * 2
    refused = Wire().get("/auth", **_basic("wrong", "other@x.example"))
    assert refused.status == 429
    assert refused.error()["errorCode"] == "TooManyRequests"
    assert int(refused.headers["Retry-After"]) > 0


@pytest.mark.database
def test_refused_refresh_tokens_count_as_attempts(wire):
    statuses = [wire.post("/access-token", {"RefreshToken": "x"}).status for _ in range(61)]

    assert statuses == [400] * 60 + [429]
    assert wire.post("/auth/credentials", LOGIN).status == 429


def test_accepted_refresh_tokens_do_not_count_as_attempts(wire):
    token = wire.log_in()["refreshToken"]

    assert {wire.post("/access-token", {"RefreshToken": token}).status for _ in range(65)} == {200}
    assert wire.post("/auth/credentials", LOGIN).status == 200


def test_a_valid_refresh_token_is_refused_above_the_limit(wire):
    token = wire.log_in()["refreshToken"]
    for _ in range(60):
        wire.post("/access-token", {"RefreshToken": "x"})

    response = wire.post("/access-token", {"RefreshToken": token})

    assert (response.status, response.error()["errorCode"]) == (429, "TooManyRequests")
    assert int(response.headers["Retry-After"]) > 0


def test_an_unauthenticated_request_does_not_count_as_an_attempt(wire):
    assert {wire.who() for _ in range(65)} == {401}
    assert wire.post("/auth/credentials", LOGIN).status == 200
