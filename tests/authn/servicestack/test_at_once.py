"""Concurrent log-ins, refreshes and log-outs."""

import pytest

from authn.models import AuditEvent, LoginFamily, ServiceStackLogin
from tests.authn.servicestack.wire import LOGIN, Wire, sessions
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def _with_session(session: str) -> Wire:
    wire = Wire()
    wire.client.cookies["ss-id"] = session
    return wire


def test_many_log_in_with_one_session_and_each_gets_a_new_one(wire):
    old = wire.log_in()["sessionId"]

    responses = run_together([lambda: _with_session(old).post("/auth/credentials", LOGIN)] * 6)

    new = {response.json()["sessionId"] for response in responses}
    assert len(new) == 6
    assert sessions() == 6
    assert Wire().who(X_ss_id=old) == 401
    assert {Wire().who(X_ss_id=session) for session in new} == {200}


def test_many_refresh_with_one_token(wire):
    token = wire.log_in()["refreshToken"]

    responses = run_together([lambda: Wire().post("/access-token", {"refreshToken": token})] * 6)

    assert {response.status for response in responses} == {200}
    assert {Wire().who(Authorization=f"Bearer {response.json()['accessToken']}") for response in responses} == {200}


def test_tokens_issued_during_a_log_out_are_invalid_after_it(wire):
    login = wire.log_in()
    refresh = [lambda: Wire().post("/access-token", {"refreshToken": login["refreshToken"]})] * 4
    log_out = [lambda: Wire().post("/auth/logout", {}, X_ss_id=login["sessionId"])] * 2

    responses = run_together([*refresh, *log_out])

    assert {response.status for response in responses} <= {200, 401}
    tokens = [response.json().get("accessToken") for response in responses]
    assert {Wire().who(Authorization=f"Bearer {token}") for token in [login["bearerToken"], *tokens] if token} == {401}
    assert AuditEvent.objects.filter(action="person.logout").count() == 1
    assert not ServiceStackLogin.objects.exists()
    assert not LoginFamily.objects.filter(revoked_at=None).exists()


def test_many_wrong_passwords_at_once_are_all_counted(wire):
    run_together([lambda: Wire().post("/auth/credentials", LOGIN | {"Password": "wrong"})] * 6)

    assert wire.post("/auth/credentials", LOGIN).status == 429
