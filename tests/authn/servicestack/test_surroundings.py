"""What the service meets around it: a database that fails, and sweeps."""

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


def test_a_database_that_is_down_is_answered_in_kind(wire):
    token = wire.log_in()["refreshToken"]

    with connection.execute_wrapper(_down):
        answers = [
            wire.get("/auth"),
            wire.post("/auth/credentials", LOGIN),
            wire.get("/auth/logout"),
            wire.post("/access-token", {"refreshToken": token}),
        ]
        in_jsv = wire.post("/jsv/reply/Authenticate", jsv_login())

    assert {answer.status for answer in answers} == {503}
    assert {answer.error()["errorCode"] for answer in answers} == {"ServiceUnavailable"}
    assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
    assert in_jsv.text.startswith("{responseStatus:{errorCode:ServiceUnavailable,")
    assert not [answer for answer in answers if "hunter2" in answer.text]


def test_a_sweep_leaves_a_remembered_session_alone_until_it_ends(wire):
    wire.log_in(RememberMe=True)

    # A sweep goes by the database's clock, so the rows become older in place of the clock.
    LoginFamily.objects.update(expires_at=F("expires_at") - timedelta(days=27))
    delete_ended_logins()
    with time_machine.travel(timezone.now() + timedelta(days=27)):
        assert wire.who() == 200

    LoginFamily.objects.update(expires_at=F("expires_at") - timedelta(days=2))
    delete_ended_logins()
    assert not LoginFamily.objects.exists()
    assert not ServiceStackLogin.objects.exists()


def test_whoever_ends_the_log_ins_of_a_person_ends_these_too(wire, ursula):
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
    answer = wire.post("/auth/credentials", LOGIN | {"Continue": "/x"}, accept="text/html")

    assert (answer.status, answer.text) == (302, "")
