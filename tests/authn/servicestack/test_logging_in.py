"""Logging in: points 1 to 12 of the contract."""

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
def test_point_01_a_log_in_answers_who_one_is_with_tokens(wire, ursula):
    answer = wire.post("/auth/credentials", LOGIN)

    assert is_ordinary_login(answer)
    assert answer.json()["userId"] == str(ursula.id)
    assert sessions() == 1


@pytest.mark.parametrize(
    "path",
    ["/auth/login", "/authenticate/credentials", "/AUTH/Credentials", "/auth/credentials/", "/authenticate/LOGIN"],
)
def test_point_02_aliases_letter_case_and_a_slash_make_no_difference(path, wire):
    assert is_ordinary_login(wire.post(path, LOGIN))


@pytest.mark.parametrize("path", ["/auth", "/authenticate", "/auth/", "/Authenticate"])
def test_point_03_the_provider_may_stand_in_the_body(path, wire):
    assert is_ordinary_login(wire.post(path, NAMED))


@pytest.mark.parametrize(
    "path", ["/api/Authenticate", "/json/reply/Authenticate", "/json/reply/authenticate", "/json/oneway/Authenticate"]
)
def test_point_04_operations_have_addresses_of_their_own(path, wire):
    assert is_ordinary_login(wire.post(path, NAMED))


def test_point_05_without_a_provider_the_first_one_is_asked(wire):
    assert is_ordinary_login(wire.post("/auth", LOGIN))


@pytest.mark.parametrize("path", ["/auth/credentials", "/api/Authenticate", "/json/reply/Authenticate"])
def test_point_06_a_form_is_read_as_well(path, wire):
    assert is_ordinary_login(wire.post(path, LOGIN, type_=FORM))


def test_point_06_a_form_of_many_parts_is_read_as_well(wire):
    body = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in LOGIN.items()
    )

    assert is_ordinary_login(
        wire.post("/auth/credentials", f"{body}--b--\r\n", type_="multipart/form-data; boundary=b")
    )


def test_point_06_a_post_with_the_password_in_the_query_is_served(wire):
    assert is_ordinary_login(wire.post(f"/auth/credentials?UserName={NAME}&Password={PASSWORD}"))


def test_point_07_the_case_of_names_does_not_matter(wire):
    answer = wire.post("/auth/credentials", {"username": NAME, "PASSWORD": PASSWORD, "rememberme": True})

    assert is_ordinary_login(answer)
    assert wire.cookie("ss-opt") == "perm"


def test_point_08_what_is_of_no_use_is_ignored_and_not_echoed(wire):
    before = wire.log_in()["sessionId"]
    rest = dict.fromkeys([*OTHERS, "oauth_token", "unheard_of"], "echo") | {"Meta": {"echo": "echo"}}

    answer = wire.post("/auth/credentials", LOGIN | rest)

    assert is_ordinary_login(answer)
    assert "echo" not in answer.text
    assert answer.json()["sessionId"] != before


@pytest.mark.database
@pytest.mark.parametrize("secure", [False, True])
def test_point_09_a_log_in_sets_the_cookies_of_a_session(secure, ursula):
    answer = Wire(secure=secure).post("/auth/credentials", LOGIN)

    set_ = dict(answer.cookies.items())
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


def test_point_10_the_session_is_the_temporary_one(wire):
    assert wire.log_in()["sessionId"] == wire.cookie("ss-id")


def test_point_10_or_the_permanent_one_of_somebody_to_be_remembered(wire):
    session = wire.log_in(RememberMe=True)["sessionId"]

    assert session == wire.cookie("ss-pid")
    assert wire.cookie("ss-opt") == "perm"


@pytest.mark.database
def test_point_11_a_log_in_ends_the_session_that_it_came_with(wire):
    old = wire.log_in()["sessionId"]

    new = wire.log_in()["sessionId"]

    assert new != old
    assert Wire().who(X_ss_id=old) == 401
    assert Wire().who(X_ss_id=new) == 200
    assert sessions() == 1


@pytest.mark.database
def test_point_11_a_refused_log_in_ends_no_session(wire):
    wire.log_in()

    wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert wire.who() == 200


@pytest.mark.parametrize("remember", [False, True])
def test_point_12_an_invented_session_is_never_adopted(remember, wire):
    invented = "A" * 20
    for name in ("ss-id", "ss-pid"):
        wire.client.cookies[name] = invented
    wire.client.cookies["ss-opt"] = "perm" if remember else "temp"

    answer = wire.post("/auth/credentials", LOGIN | {"RememberMe": remember})

    assert invented not in answer.text
    assert invented not in (answer.cookies["ss-id"].value, answer.cookies["ss-pid"].value)
    assert Wire().who(X_ss_id=invented) == 401
    assert Wire().who(X_ss_opt="perm", X_ss_pid=invented) == 401


@pytest.mark.database
def test_a_log_in_is_an_audit_row_without_secrets(wire, ursula):
    answer = wire.log_in()

    row = AuditEvent.objects.get()
    assert (row.action, row.outcome, row.actor_id) == ("person.login", "granted", str(ursula.id))
    assert row.details["door"] == "servicestack"
    assert not [
        value
        for value in answer.values()
        if isinstance(value, str) and len(value) > 20 and value in str(vars(row)) and value != str(ursula.id)
    ]


@pytest.mark.database
def test_a_remembered_person_stays_remembered_without_saying_so_again(wire):
    wire.log_in(RememberMe=True)

    wire.log_in()

    assert wire.cookie("ss-opt") == "perm"
    assert wire.who() == 200
