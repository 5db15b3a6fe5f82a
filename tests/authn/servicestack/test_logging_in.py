"""Log-ins: URLs, formats, members, cookies and sessions."""

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.utils import timezone

from authn.models import AuditEvent
from tests.authn.servicestack.wire import FORM, LOGIN, NAME, Wire, is_ordinary_login, sessions
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
NAMED = LOGIN | {"provider": "credentials"}
OTHERS = ("State", "nonce", "uri", "response", "qop", "nc", "cnonce", "scope", "AccessTokenSecret")


@pytest.mark.database
def test_a_log_in_returns_the_user_and_tokens(wire, ursula):
    response = wire.post("/auth/credentials", LOGIN)

    assert is_ordinary_login(response)
    assert response.json()["userId"] == str(ursula.id)
    assert sessions() == 1


@pytest.mark.parametrize(
    "path",
    ["/auth/login", "/authenticate/credentials", "/AUTH/Credentials", "/auth/credentials/", "/authenticate/LOGIN"],
)
def test_aliases_letter_case_and_a_trailing_slash_do_not_matter(path, wire):
    assert is_ordinary_login(wire.post(path, LOGIN))


@pytest.mark.parametrize("path", ["/auth", "/authenticate", "/auth/", "/Authenticate"])
def test_the_provider_may_be_in_the_body(path, wire):
    assert is_ordinary_login(wire.post(path, NAMED))


@pytest.mark.parametrize(
    "path", ["/api/Authenticate", "/json/reply/Authenticate", "/json/reply/authenticate", "/json/oneway/Authenticate"]
)
def test_operations_have_urls_of_their_own(path, wire):
    assert is_ordinary_login(wire.post(path, NAMED))


def test_the_first_provider_is_the_default(wire):
    assert is_ordinary_login(wire.post("/auth", LOGIN))


@pytest.mark.parametrize("path", ["/auth/credentials", "/api/Authenticate", "/json/reply/Authenticate"])
def test_a_form_logs_in(path, wire):
    assert is_ordinary_login(wire.post(path, LOGIN, type_=FORM))


def test_a_multipart_form_logs_in(wire):
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in LOGIN.items()
    )

    assert is_ordinary_login(
        wire.post("/auth/credentials", f"{body}--b--\r\n", type_="multipart/form-data; boundary=b")
    )


def test_a_post_with_the_password_in_the_query_logs_in(wire):
    assert is_ordinary_login(wire.post(f"/auth/credentials?UserName={NAME}&Password={PASSWORD}"))


def test_member_names_are_case_insensitive(wire):
    response = wire.post("/auth/credentials", {"username": NAME, "PASSWORD": PASSWORD, "rememberme": True})

    assert is_ordinary_login(response)
    assert wire.cookie("ss-opt") == "perm"


def test_unused_and_unknown_members_are_ignored_and_not_echoed(wire):
    before = wire.log_in()["sessionId"]
    rest = dict.fromkeys([*OTHERS, "oauth_token", "unheard_of"], "echo") | {"Meta": {"echo": "echo"}}

    response = wire.post("/auth/credentials", LOGIN | rest)

    assert is_ordinary_login(response)
    assert "echo" not in response.text
    assert response.json()["sessionId"] != before


@pytest.mark.database
@pytest.mark.parametrize("secure", [False, True])
def test_a_log_in_sets_the_cookies_of_a_session(secure, ursula):
    response = Wire(secure=secure).post("/auth/credentials", LOGIN)

    set_ = dict(response.cookies.items())
    assert set(set_) == {"ss-id", "ss-pid", "ss-opt", "X-UAId"}
    assert (set_["ss-id"]["max-age"], set_["ss-id"]["expires"]) == ("", "")
    for name in ("ss-pid", "ss-opt", "X-UAId"):
        assert set_[name]["max-age"] == 20 * 365 * 24 * 60 * 60, name
        assert parsedate_to_datetime(set_[name]["expires"]) > timezone.now() + timedelta(days=20 * 365 - 1)
    assert set_["ss-opt"].value == "temp"
    assert set_["X-UAId"].value == str(ursula.id)
    for morsel in set_.values():
        assert (morsel["path"], morsel["httponly"], bool(morsel["secure"])) == ("/", True, secure)
    assert all(re.fullmatch("[A-Za-z0-9]{20}", set_[name].value) for name in ("ss-id", "ss-pid"))


def test_a_log_in_uses_the_temporary_session(wire):
    assert wire.log_in()["sessionId"] == wire.cookie("ss-id")


def test_remember_me_uses_the_permanent_session(wire):
    session = wire.log_in(RememberMe=True)["sessionId"]

    assert session == wire.cookie("ss-pid")
    assert wire.cookie("ss-opt") == "perm"


@pytest.mark.database
def test_a_log_in_ends_the_session_that_it_presents(wire):
    old = wire.log_in()["sessionId"]

    new = wire.log_in()["sessionId"]

    assert new != old
    assert Wire().who(X_ss_id=old) == 401
    assert Wire().who(X_ss_id=new) == 200
    assert sessions() == 1


@pytest.mark.database
def test_a_refused_log_in_does_not_end_a_session(wire):
    wire.log_in()

    wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert wire.who() == 200


@pytest.mark.parametrize("remember", [False, True])
def test_an_invented_session_is_never_adopted(remember, wire):
    invented = "A" * 20
    for name in ("ss-id", "ss-pid"):
        wire.client.cookies[name] = invented
    wire.client.cookies["ss-opt"] = "perm" if remember else "temp"

    response = wire.post("/auth/credentials", LOGIN | {"RememberMe": remember})

    assert invented not in response.text
    assert invented not in (response.cookies["ss-id"].value, response.cookies["ss-pid"].value)
    assert Wire().who(X_ss_id=invented) == 401
    assert Wire().who(X_ss_opt="perm", X_ss_pid=invented) == 401


@pytest.mark.database
def test_a_log_in_is_an_audit_row_without_secrets(wire, ursula):
    response = wire.log_in()

    row = AuditEvent.objects.get()
    assert (row.action, row.outcome, row.actor_id) == ("person.login", "granted", str(ursula.id))
    assert row.details["door"] == "servicestack"
    assert not [
        value
        for value in response.values()
        if isinstance(value, str) and len(value) > 20 and value in str(vars(row)) and value != str(ursula.id)
    ]


@pytest.mark.database
def test_a_permanent_session_stays_permanent_at_the_next_log_in(wire):
    wire.log_in(RememberMe=True)

    wire.log_in()

    assert wire.cookie("ss-opt") == "perm"
    assert wire.who() == 200
