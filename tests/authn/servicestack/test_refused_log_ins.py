"""Refused log-ins, providers and methods: points 17 to 23."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from authn.models import AuditEvent
from authn.principals import system
from authn.users import update_user
from tests.authn.counts import failures
from tests.authn.servicestack.wire import FORM, INVALID, LOGIN, NAME, NOBODY, Wire, sessions
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
GET_IS_NO_LOG_IN = "NotSupportedException"


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed, which is what a log-in takes its time for."""

    algorithm = "counting"
    count = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).count += 1
        return super().encode(password, salt)


@pytest.fixture
def hashed(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    return CountingHasher


@pytest.mark.database
def test_point_17_a_wrong_password_is_refused(wire):
    answer = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert answer.status == 401
    assert answer.error() == INVALID
    assert "WWW-Authenticate" not in answer.headers
    assert not answer.cookies
    assert sessions() == 0
    assert wire.who() == 401


@pytest.mark.database
def test_point_17_an_unknown_person_reads_the_same(wire):
    wrong = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    unknown = wire.post("/auth/credentials", LOGIN | {"UserName": "nobody@acme.example"})

    assert (unknown.status, unknown.text) == (wrong.status, wrong.text)
    assert sessions() == 0


def test_point_17_every_refusal_takes_as_many_hashes(hashed, wire, ursula, a_person):
    ursula.set_password(PASSWORD)
    ursula.save()
    off = a_person("off@acme.example")
    update_user(off, by=system("tests"), is_active=False)
    counts = []

    for name in (NAME, "nobody@acme.example", "off@acme.example"):
        hashed.count = 0
        assert wire.post("/auth/credentials", {"UserName": name, "Password": "wrong"}).status == 401
        counts.append(hashed.count)

    assert counts == [2, 2, 2]


@pytest.mark.database
def test_point_17_a_refusal_is_audited_and_counted(wire):
    wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    row = AuditEvent.objects.get()
    assert (row.action, row.outcome, row.actor_name) == ("person.login", "refused", NAME)
    assert failures() == [1]


@pytest.mark.database
def test_point_18_a_switched_off_person_with_the_right_password_is_told(wire, ursula):
    update_user(ursula, by=system("tests"), is_active=False)

    answer = wire.post("/auth/credentials", LOGIN)

    assert answer.status == 401
    assert answer.error() == {
        "errorCode": "AuthenticationException",
        "message": "This account has been locked",
        "errors": [],
    }
    assert sessions() == 0


@pytest.mark.database
def test_point_18_with_a_wrong_password_nothing_is_told(wire, ursula):
    update_user(ursula, by=system("tests"), is_active=False)

    answer = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert (answer.status, answer.error()) == (401, INVALID)


NO_NAME = {
    "errorCode": "NotEmpty",
    "fieldName": "UserName",
    "message": "'User Name' must not be empty.",
    "meta": {"PropertyName": "User Name"},
}
NO_PASSWORD = {
    "errorCode": "NotEmpty",
    "fieldName": "Password",
    "message": "'Password' must not be empty.",
    "meta": {"PropertyName": "Password"},
}


@pytest.mark.parametrize("body", [{"UserName": NAME}, {"UserName": NAME, "Password": ""}])
def test_point_19_a_missing_password_is_named(body, wire):
    answer = wire.post("/auth/credentials", body)

    assert answer.status == 400
    assert answer.error() == {
        "errorCode": "ValidationException",
        "message": "Validation failed: \n -- Password: 'Password' must not be empty.",
        "errors": [NO_PASSWORD],
    }


@pytest.mark.parametrize("body", [{}, {"UserName": "", "Password": ""}, {"UserName": None}])
def test_point_19_name_and_password_are_named_in_order(body, wire):
    answer = wire.post("/auth/credentials", body)

    assert answer.status == 400
    assert answer.error()["errors"] == [NO_NAME, NO_PASSWORD]


@pytest.mark.database
def test_what_is_too_long_is_refused_before_it_is_hashed(hashed, wire):
    hashed.count = 0

    answer = wire.post("/auth/credentials", {"UserName": "n" * 255, "Password": "p" * 1025})

    assert answer.status == 400
    assert [each["fieldName"] for each in answer.error()["errors"]] == ["UserName", "Password"]
    assert hashed.count == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/auth/nosuch", "/authenticate/nosuch", "/auth?provider=nosuch"])
def test_point_20_an_unknown_provider_is_not_found(path, method, wire):
    answer = wire.send(method, path)

    assert answer.status == 404
    assert answer.error() == {
        "errorCode": "NotFound",
        "message": "No configuration was added for OAuth provider 'nosuch'",
        "errors": [],
    }


def test_point_20_markup_in_the_name_is_cut(wire):
    answer = wire.post("/auth", {"provider": "<script>alert('x')</script>" + "y" * 500}, accept="text/html")

    assert answer.status == 404
    assert "<script" not in answer.text
    assert "alert(" not in answer.text
    assert "y" * 50 not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        f"/auth/credentials?UserName={NAME}&Password={PASSWORD}",
        f"/auth/login?UserName={NAME}&Password={PASSWORD}",
        f"/auth?provider=credentials&UserName={NAME}&Password={PASSWORD}",
        f"/api/Authenticate?provider=credentials&UserName={NAME}&Password={PASSWORD}",
        "/auth/basic",
        "/auth/jwt",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_point_21_a_get_logs_nobody_in(path, method, wire):
    answer = wire.send(method, path)

    assert answer.status == 405
    assert method == "HEAD" or answer.error()["errorCode"] == GET_IS_NO_LOG_IN
    assert sessions() == 0
    assert not answer.cookies


def test_point_22_a_get_without_a_provider_logs_nobody_in_either(wire):
    answer = wire.get(f"/auth?UserName={NAME}&Password={PASSWORD}")

    assert answer.status == 405
    assert answer.error()["errorCode"] == GET_IS_NO_LOG_IN
    assert sessions() == 0


@pytest.mark.parametrize("path", ["/auth", "/auth/credentials", "/api/Authenticate", "/json/reply/Authenticate"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_point_23_put_and_patch_are_not_there(method, path, wire):
    answer = wire.send(method, path, LOGIN)

    assert answer.status == 405
    assert answer.error()["errorCode"] == "NotImplementedException"
    assert "POST" in answer.headers["Allow"]


def test_point_23_delete_ends_the_session(wire):
    session = wire.log_in()["sessionId"]

    answer = wire.send("DELETE", "/auth")

    assert (answer.status, answer.json()) == (200, {"responseStatus": {}})
    assert Wire().who(X_ss_id=session) == 401


def test_point_23_options_has_no_body_and_grants_nothing(wire):
    answer = wire.send("OPTIONS", "/auth", Origin="https://evil.example")

    assert (answer.status, answer.text) == (200, "")
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


VERBS = {
    "/auth": "GET, HEAD, POST, DELETE, OPTIONS",
    "/auth/credentials": "GET, HEAD, POST, DELETE, OPTIONS",
    "/api/authenticate": "GET, HEAD, POST, DELETE, OPTIONS",
    "/access-token": "POST, OPTIONS",
    "/json/reply/GetAccessToken": "POST, OPTIONS",
}


@pytest.mark.parametrize("path", VERBS)
def test_point_23_options_names_the_methods_of_the_operation(path, wire):
    assert wire.send("OPTIONS", path).headers["Allow"] == VERBS[path]
    assert wire.send("PUT", path).headers["Allow"] == VERBS[path]


@pytest.mark.parametrize("path", ["/api/nosuch", "/json/reply/Authenticate[]"])
def test_point_23_options_of_no_operation_are_not_found(path, wire):
    answer = wire.send("OPTIONS", path)

    assert (answer.status, answer.error()["errorCode"]) == (404, "NotFound")
    assert "Allow" not in answer.headers


def test_nobody_is_asked_for_a_password_alone(wire):
    assert wire.post("/auth", {"Password": PASSWORD}).error() == NOBODY


def test_a_form_is_refused_in_the_same_words(wire):
    answer = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, type_=FORM)

    assert (answer.status, answer.error()) == (401, INVALID)
