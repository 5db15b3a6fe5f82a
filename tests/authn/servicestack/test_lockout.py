"""Too many tries: point 60, its second half. One count for all doors, formats and spellings."""

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
    """Return one try by each way in."""
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


@pytest.mark.parametrize("last", _tries(PASSWORD))
def test_point_60_every_door_is_locked_after_five_wrong_passwords(last, wire):
    for _ in range(5):
        assert wire.post("/auth/credentials", WRONG).status == 401

    answer = _tries(PASSWORD)[last](wire)

    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60 + 1
    assert "TooManyRequests" in answer.text
    assert sessions() == 0


@pytest.mark.parametrize("how", _tries("wrong"))
def test_point_60_a_wrong_password_counts_at_every_door(how, wire):
    for _ in range(5):
        assert _tries("wrong")[how](wire).status == 401

    assert wire.post("/auth/credentials", LOGIN).status == 429


@pytest.mark.database
def test_point_60_the_count_is_that_of_the_whole_desk(wire, anonymous):
    rest = {"email": NAME, "password": "wrong"}
    for _ in range(3):
        anonymous.post("/sfp/api/auth/admin/login", rest)
    for _ in range(2):
        wire.post("/auth/credentials", WRONG)

    assert wire.post("/auth/credentials", LOGIN).status == 429
    assert anonymous.post("/sfp/api/auth/admin/login", rest | {"password": PASSWORD}).status_code == 429


def test_point_60_the_page_counts_with_it(wire):
    page = {"email": NAME, "password": "wrong"}
    for _ in range(3):
        assert Client().post("/login", page).status_code == 200
    for _ in range(2):
        assert wire.post("/auth/credentials", WRONG).status == 401

    assert wire.post("/auth/credentials", LOGIN).status == 429
    refused = Client().post("/login", page | {"password": PASSWORD})
    assert (refused.status_code, "locked" in refused.content.decode()) == (200, True)


@pytest.mark.database
def test_point_60_the_page_and_this_service_share_the_tries_of_an_address(wire):
    for number in range(30):
        Client().post("/login", {"email": f"{number}@x.example", "password": "wrong"})
        wire.post("/auth/credentials", WRONG | {"UserName": f"{number}@y.example"})

    assert wire.post("/auth/credentials", LOGIN).status == 429
    assert Client().post("/login", {"email": NAME, "password": PASSWORD}).status_code == 429


@pytest.mark.database
def test_point_60_an_unknown_name_is_locked_in_the_same_way(wire):
    unknown = WRONG | {"UserName": "nobody@acme.example"}
    statuses = [wire.post("/auth/credentials", unknown).status for _ in range(6)]

    assert statuses == [401] * 5 + [429]


@pytest.mark.database
def test_point_60_the_lock_ends_by_itself(wire):
    for _ in range(5):
        wire.post("/auth/credentials", WRONG)

    let_pass(timedelta(minutes=15))

    assert wire.post("/auth/credentials", LOGIN).status == 200


@pytest.mark.database
@pytest.mark.parametrize("how", ["json", "basic", "basic log-in"])
def test_point_60_a_right_password_ends_the_count(how, wire):
    for _ in range(4):
        wire.post("/auth/credentials", WRONG)

    assert _tries(PASSWORD)[how](wire).status == 200

    assert failures() == failures("") == [0]


@pytest.mark.database
def test_point_60_one_address_may_not_try_many_names(wire):
    statuses = [wire.post("/auth/credentials", WRONG | {"UserName": f"{n}@x.example"}).status for n in range(62)]

    assert statuses == [401] * 60 + [429] * 2
    refused = Wire().get("/auth", **_basic("wrong", "other@x.example"))
    assert refused.status == 429
    assert refused.error()["errorCode"] == "TooManyRequests"
    assert int(refused.headers["Retry-After"]) > 0


@pytest.mark.database
def test_point_60_refused_refresh_tokens_are_counted_with_them(wire):
    statuses = [wire.post("/access-token", {"RefreshToken": "x"}).status for _ in range(61)]

    assert statuses == [400] * 60 + [429]
    assert wire.post("/auth/credentials", LOGIN).status == 429


def test_point_60_good_ones_are_not(wire):
    token = wire.log_in()["refreshToken"]

    assert {wire.post("/access-token", {"RefreshToken": token}).status for _ in range(65)} == {200}
    assert wire.post("/auth/credentials", LOGIN).status == 200


def test_point_60_a_good_one_waits_as_well_where_too_many_were_tried(wire):
    token = wire.log_in()["refreshToken"]
    for _ in range(60):
        wire.post("/access-token", {"RefreshToken": "x"})

    answer = wire.post("/access-token", {"RefreshToken": token})

    assert (answer.status, answer.error()["errorCode"]) == (429, "TooManyRequests")
    assert int(answer.headers["Retry-After"]) > 0


def test_nobody_s_question_is_not_counted(wire):
    assert {wire.who() for _ in range(65)} == {401}
    assert wire.post("/auth/credentials", LOGIN).status == 200
