"""The service with a failing database, sweeps, and log-ins that end elsewhere."""

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from authn.maintenance import delete_ended_logins
from authn.models import LoginFamily, ServiceStackLogin
from tests.authn.servicestack.wire import LOGIN, NAME, jsv_login

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def _down(execute, sql, params, many, context):
    raise OperationalError("the server is gone, and its password was hunter2")


def test_an_unavailable_database_is_reported_in_the_requested_format(wire):
    token = wire.log_in()["refreshToken"]

    with connection.execute_wrapper(_down):
        responses = [
            wire.get("/auth"),
            wire.post("/auth/credentials", LOGIN),
            wire.get("/auth/logout"),
            wire.post("/access-token", {"refreshToken": token}),
        ]
        in_jsv = wire.post("/jsv/reply/Authenticate", jsv_login())

    assert {response.status for response in responses} == {503}
    assert {response.error()["errorCode"] for response in responses} == {"ServiceUnavailable"}
    assert {response.headers["Retry-After"] for response in responses} == {"5"}
    assert in_jsv.text.startswith("{responseStatus:{errorCode:ServiceUnavailable,")
    assert not [response for response in responses if "hunter2" in response.text]


def test_a_sweep_keeps_a_permanent_session_until_it_ends(wire):
    wire.log_in(RememberMe=True)

    # A sweep uses the database's clock, so the rows are aged instead.
    LoginFamily.objects.update(expires_at=F("expires_at") - timedelta(days=27))
    delete_ended_logins()
    with time_machine.travel(timezone.now() + timedelta(days=27)):
        assert wire.who() == 200

    LoginFamily.objects.update(expires_at=F("expires_at") - timedelta(days=2))
    delete_ended_logins()
    assert not LoginFamily.objects.exists()
    assert not ServiceStackLogin.objects.exists()


def test_ending_the_log_ins_of_a_user_ends_these_too(wire, ursula):
    login = wire.log_in()

    ursula.end_logins()

    assert wire.who() == 401
    assert wire.post("/access-token", {"refreshToken": login["refreshToken"]}).status == 401


def test_names_of_rows_hold_no_secret(wire):
    login = wire.log_in()

    row = ServiceStackLogin.objects.get()

    assert login["sessionId"] not in f"{row} {row!r} {vars(row)}"
    assert NAME not in str(row)


def test_a_redirect_has_no_body(wire):
    response = wire.post("/auth/credentials", LOGIN | {"Continue": "/x"}, accept="text/html")

    assert (response.status, response.text) == (302, "")
