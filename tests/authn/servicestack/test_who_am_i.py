"""Authenticate without a provider: the current user by session cookie or header."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from authn.roles import Role
from tests.authn.servicestack.wire import LOGIN, NOT_AUTHENTICATED, Wire

pytestmark = pytest.mark.django_db


@pytest.mark.database
def test_a_session_cookie_authenticates(wire):
    session = wire.log_in()["sessionId"]

    for response in (
        wire.post("/auth", {}),
        wire.get("/auth"),
        wire.get("/api/Authenticate"),
        wire.post("/authenticate"),
    ):
        assert response.status == 200
        body = response.json()
        assert body["sessionId"] == session
        assert set(body) == {"userId", "sessionId", "userName", "displayName", "roles", "permissions", "responseStatus"}


@pytest.mark.database
def test_a_header_names_a_session(wire):
    session = wire.log_in()["sessionId"]

    assert Wire().who(X_ss_id=session) == 200


@pytest.mark.database
def test_a_header_names_a_permanent_session(wire):
    session = wire.log_in(RememberMe=True)["sessionId"]

    assert Wire().who(X_ss_opt="perm", X_ss_pid=session) == 200
    assert Wire().who(X_ss_id=session) == 401
    assert Wire().who(X_ss_pid=session) == 401


def test_a_session_id_in_the_query_is_ignored(wire):
    session = wire.log_in()["sessionId"]

    assert Wire().get(f"/auth?ss-id={session}").refusal == (401, "Unauthorized")
    assert Wire().post("/auth", {"SessionId": session, "ss-id": session}).refusal == (401, "Unauthorized")


@pytest.mark.database
def test_a_permanent_session_needs_no_temporary_one(wire):
    wire.log_in(RememberMe=True)

    del wire.client.cookies["ss-id"]

    assert wire.who() == 200


def test_a_request_without_a_session_is_not_authenticated(wire):
    response = wire.get("/auth")

    assert response.status == 401
    assert response.error() == NOT_AUTHENTICATED
    assert "WWW-Authenticate" not in response.headers


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


def test_an_owner_has_the_role_owner(wire, a_person):
    a_person("boss@acme.example", Role.OWNER)

    body = wire.post("/auth", LOGIN | {"UserName": "boss@acme.example"}).json()

    assert body["roles"] == ["owner"]
    assert wire.get("/auth").json()["roles"] == ["owner"]
