"""Who one is, by session: points 13 to 16."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from authn.roles import Role
from tests.authn.servicestack.wire import LOGIN, NOBODY, Wire

pytestmark = pytest.mark.django_db


@pytest.mark.database
def test_point_13_a_cookie_tells_who_one_is(wire):
    session = wire.log_in()["sessionId"]

    for answer in (
        wire.post("/auth", {}),
        wire.get("/auth"),
        wire.get("/api/Authenticate"),
        wire.post("/authenticate"),
    ):
        assert answer.status == 200
        body = answer.json()
        assert body["sessionId"] == session
        assert set(body) == {"userId", "sessionId", "userName", "displayName", "roles", "permissions", "responseStatus"}


@pytest.mark.database
def test_point_14_a_header_names_a_session(wire):
    session = wire.log_in()["sessionId"]

    assert Wire().who(X_ss_id=session) == 200


@pytest.mark.database
def test_point_14_a_header_names_a_permanent_session(wire):
    session = wire.log_in(RememberMe=True)["sessionId"]

    assert Wire().who(X_ss_opt="perm", X_ss_pid=session) == 200
    assert Wire().who(X_ss_id=session) == 401
    assert Wire().who(X_ss_pid=session) == 401


def test_point_14_a_query_names_no_session(wire):
    session = wire.log_in()["sessionId"]

    assert Wire().get(f"/auth?ss-id={session}").status == 401
    assert Wire().post("/auth", {"SessionId": session, "ss-id": session}).status == 401


@pytest.mark.database
def test_point_15_a_remembered_person_needs_no_temporary_session(wire):
    wire.log_in(RememberMe=True)

    del wire.client.cookies["ss-id"]

    assert wire.who() == 200


def test_point_16_nobody_is_told_so(wire):
    answer = wire.get("/auth")

    assert answer.status == 401
    assert answer.error() == NOBODY
    assert "WWW-Authenticate" not in answer.headers


@pytest.mark.database
@pytest.mark.parametrize(("remember", "days"), [(False, 14), (True, 28)])
def test_a_session_ends_after_its_time(remember, days, wire):
    wire.log_in(RememberMe=remember)

    with time_machine.travel(timezone.now() + timedelta(days=days, seconds=-5)):
        assert wire.who() == 200
    with time_machine.travel(timezone.now() + timedelta(days=days, seconds=5)):
        assert wire.who() == 401


@pytest.mark.database
def test_a_session_ends_with_the_password(wire, ursula):
    wire.log_in()

    ursula.set_password("another-horse-battery")
    ursula.save()

    assert wire.who() == 401


def test_an_owner_is_told_the_role(wire, a_person):
    a_person("boss@acme.example", Role.OWNER)

    body = wire.post("/auth", LOGIN | {"UserName": "boss@acme.example"}).json()

    assert body["roles"] == ["owner"]
    assert wire.get("/auth").json()["roles"] == ["owner"]
