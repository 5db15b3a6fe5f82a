"""Log-out: what it ends, deletes and audits."""

import pytest

from authn.models import AuditEvent, LoginFamily
from tests.authn.servicestack.wire import NOT_AUTHENTICATED, Wire
from tests.support.api_client import Caller

pytestmark = pytest.mark.django_db
ORGS = "/sfp/api/auth/salesforce/orgs"
ENDED = {"ss-id", "ss-pid", "X-UAId", "ss-tok"}
WAYS = [
    ("POST", "/auth", {"provider": "logout"}),
    ("POST", "/auth", {"provider": "LOGOUT"}),
    ("POST", "/auth/logout", {}),
    ("GET", "/auth/logout", b""),
    ("GET", "/authenticate/logout", b""),
    ("GET", "/auth/LogOut", b""),
    ("GET", "/api/Authenticate?provider=logout", b""),
    ("DELETE", "/auth", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), WAYS)
def test_a_log_out_ends_session_and_cookies(method, path, body, wire):
    login = wire.log_in()

    response = wire.send(method, path, body)

    assert (response.status, response.json()) == (200, {"responseStatus": {}})
    assert set(response.cookies) == ENDED
    assert all(morsel.value == "" and morsel["max-age"] == 0 for morsel in response.cookies.values())
    assert Wire().who(X_ss_id=login["sessionId"]) == 401


def test_an_ended_cookie_is_written_empty_and_in_the_past(wire):
    wire.log_in()

    line = wire.get("/auth/logout").cookies["ss-id"].OutputString()

    assert line.startswith("ss-id=; expires=Thu, 01 Jan 1970 00:00:00 GMT;")


@pytest.mark.database
def test_a_log_out_ends_the_tokens_as_well(wire):
    login = wire.log_in()

    wire.get("/auth/logout")

    assert Wire().who(Authorization=f"Bearer {login['bearerToken']}") == 401
    assert Caller(login["bearerToken"]).get(ORGS).status_code == 401
    assert Wire().post("/access-token", {"refreshToken": login["refreshToken"]}).status == 401


@pytest.mark.database
@pytest.mark.parametrize("held", ["bearer", "cookies"])
def test_a_log_out_without_a_session_ends_the_log_in_of_its_tokens(held, wire):
    login = wire.log_in(UseTokenCookie=held == "cookies")
    other = Wire() if held == "bearer" else wire
    headers = {"Authorization": f"Bearer {login['bearerToken']}"} if held == "bearer" else {}

    other.send("POST", "/auth/logout", {}, **headers)

    assert Wire().post("/access-token", {"refreshToken": login["refreshToken"]}).refusal == (401, "TokenException")


@pytest.mark.database
def test_a_log_out_is_audited_and_leaves_other_log_ins_alone(wire):
    wire.log_in()
    other = Wire()
    other.log_in()

    wire.get("/auth/logout")

    assert other.who() == 200
    assert AuditEvent.objects.filter(action="person.logout", outcome="granted").count() == 1
    assert LoginFamily.objects.filter(revoked_at=None).count() == 1


LOOKS = [
    ("HEAD", {}, 200),
    ("GET", {"Sec_Purpose": "prefetch;prerender"}, 204),
    ("GET", {"Purpose": "prefetch"}, 204),
    ("GET", {"X_Moz": "prefetch"}, 204),
]


@pytest.mark.parametrize(("method", "headers", "status"), LOOKS)
@pytest.mark.parametrize(
    "path", ["/auth/logout", "/api/Authenticate?provider=logout", "/html/reply/Authenticate?provider=logout"]
)
@pytest.mark.parametrize("in_cookies", [False, True])
def test_head_and_prefetch_do_not_log_out(in_cookies, path, method, headers, status, wire):
    wire.log_in(UseTokenCookie=in_cookies)

    response = wire.send(method, path, **headers)

    assert (response.status, response.text) == (status, "")
    assert not response.cookies
    assert wire.who() == 200
    assert not AuditEvent.objects.filter(action="person.logout").exists()


def test_a_log_out_without_a_log_in_succeeds(wire):
    response = wire.get("/auth/logout")

    assert (response.status, response.json()) == (200, {"responseStatus": {}})
    assert "ss-reftok" not in response.cookies


def test_a_refresh_token_cookie_is_deleted_only_if_it_was_sent(wire):
    wire.log_in(UseTokenCookie=True)

    response = wire.get("/auth/logout")

    assert set(response.cookies) == {*ENDED, "ss-reftok"}


@pytest.mark.parametrize("value", ["", '""', "%22%22"])
def test_empty_cookies_are_ignored(value, wire):
    response = Wire().get("/auth", Cookie=f"ss-id={value}; ss-pid={value}; ss-tok={value}; ss-reftok={value}")

    assert (response.status, response.error()) == (401, NOT_AUTHENTICATED)
