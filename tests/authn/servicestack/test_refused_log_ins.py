"""Refused log-ins, unknown providers and unsupported methods."""

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from authn.models import AuditEvent
from authn.principals import system
from authn.users import update_user
from tests.authn.counts import failures
from tests.authn.servicestack.wire import FORM, INVALID, LOGIN, NAME, NOT_AUTHENTICATED, Wire, sessions
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
GET_IS_NO_LOG_IN = "NotSupportedException"


class CountingHasher(MD5PasswordHasher):
    """Counts password hashes, which dominate the time of a log-in."""

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
def test_a_wrong_password_is_refused(wire):
    response = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert response.status == 401
    assert response.error() == INVALID
    assert "WWW-Authenticate" not in response.headers
    assert not response.cookies
    assert sessions() == 0
    assert wire.who() == 401


@pytest.mark.database
def test_an_unknown_user_gets_the_same_refusal(wire):
    wrong = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    unknown = wire.post("/auth/credentials", LOGIN | {"UserName": "nobody@acme.example"})

    assert (unknown.status, unknown.text) == (wrong.status, wrong.text)
    assert sessions() == 0


def test_every_refusal_takes_as_many_hashes(hashed, wire, ursula, a_person):
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
def test_a_refusal_is_audited_and_counted(wire):
    wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    row = AuditEvent.objects.get()
    assert (row.action, row.outcome, row.actor_name) == ("person.login", "refused", NAME)
    assert failures() == [1]


@pytest.mark.database
def test_a_deactivated_user_with_the_right_password_is_reported_as_locked(wire, ursula):
    update_user(ursula, by=system("tests"), is_active=False)

    response = wire.post("/auth/credentials", LOGIN)

    assert response.status == 401
    assert response.error() == {
        "errorCode": "AuthenticationException",
        "message": "This account has been locked",
        "errors": [],
    }
    assert sessions() == 0


@pytest.mark.database
def test_a_deactivated_user_with_a_wrong_password_gets_the_ordinary_refusal(wire, ursula):
    update_user(ursula, by=system("tests"), is_active=False)

    response = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"})

    assert (response.status, response.error()) == (401, INVALID)


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
def test_a_missing_password_is_named(body, wire):
    response = wire.post("/auth/credentials", body)

    assert response.status == 400
    assert response.error() == {
        "errorCode": "ValidationException",
        "message": "Validation failed: \n -- Password: 'Password' must not be empty.",
        "errors": [NO_PASSWORD],
    }


@pytest.mark.parametrize("body", [{}, {"UserName": "", "Password": ""}, {"UserName": None}])
def test_name_and_password_are_named_in_order(body, wire):
    response = wire.post("/auth/credentials", body)

    assert response.status == 400
    assert response.error()["errors"] == [NO_NAME, NO_PASSWORD]


@pytest.mark.database
def test_what_is_too_long_is_refused_before_it_is_hashed(hashed, wire):
    hashed.count = 0

    response = wire.post("/auth/credentials", {"UserName": "n" * 255, "Password": "p" * 1025})

    assert response.status == 400
    assert [each["fieldName"] for each in response.error()["errors"]] == ["UserName", "Password"]
    assert hashed.count == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/auth/nosuch", "/authenticate/nosuch", "/auth?provider=nosuch"])
def test_an_unknown_provider_is_not_found(path, method, wire):
    response = wire.send(method, path)

    assert response.status == 404
    assert response.error() == {
        "errorCode": "NotFound",
        "message": "No configuration was added for OAuth provider 'nosuch'",
        "errors": [],
    }


def test_markup_in_the_name_of_a_provider_is_removed(wire):
    response = wire.post("/auth", {"provider": "<script>alert('x')</script>" + "y" * 500}, accept="text/html")

    assert response.status == 404
    assert "<script" not in response.text
    assert "alert(" not in response.text
    assert "y" * 50 not in response.text


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
def test_a_get_does_not_log_in(path, method, wire):
    response = wire.send(method, path)

    assert response.status == 405
    assert method == "HEAD" or response.error()["errorCode"] == GET_IS_NO_LOG_IN
    assert sessions() == 0
    assert not response.cookies


def test_a_get_without_a_provider_does_not_log_in(wire):
    response = wire.get(f"/auth?UserName={NAME}&Password={PASSWORD}")

    assert response.status == 405
    assert response.error()["errorCode"] == GET_IS_NO_LOG_IN
    assert sessions() == 0


@pytest.mark.parametrize("path", ["/auth", "/auth/credentials", "/api/Authenticate", "/json/reply/Authenticate"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_put_and_patch_are_not_allowed(method, path, wire):
    response = wire.send(method, path, LOGIN)

    assert response.status == 405
    assert response.error()["errorCode"] == "NotImplementedException"
    assert "POST" in response.headers["Allow"]


def test_delete_ends_the_session(wire):
    session = wire.log_in()["sessionId"]

    response = wire.send("DELETE", "/auth")

    assert (response.status, response.json()) == (200, {"responseStatus": {}})
    assert Wire().who(X_ss_id=session) == 401


def test_options_has_no_body_and_no_cors_headers(wire):
    response = wire.send("OPTIONS", "/auth", Origin="https://evil.example")

    assert (response.status, response.text) == (200, "")
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


VERBS = {
    "/auth": "GET, HEAD, POST, DELETE, OPTIONS",
    "/auth/credentials": "GET, HEAD, POST, DELETE, OPTIONS",
    "/api/authenticate": "GET, HEAD, POST, DELETE, OPTIONS",
    "/access-token": "POST, OPTIONS",
    "/json/reply/GetAccessToken": "POST, OPTIONS",
}


@pytest.mark.parametrize("path", VERBS)
def test_options_names_the_methods_of_the_operation(path, wire):
    assert wire.send("OPTIONS", path).headers["Allow"] == VERBS[path]
    assert wire.send("PUT", path).headers["Allow"] == VERBS[path]


@pytest.mark.parametrize("path", ["/api/nosuch", "/json/reply/Authenticate[]"])
def test_options_of_an_unknown_operation_is_not_found(path, wire):
    response = wire.send("OPTIONS", path)

    assert (response.status, response.error()["errorCode"]) == (404, "NotFound")
    assert "Allow" not in response.headers


def test_a_request_without_a_user_name_returns_the_caller(wire):
    assert wire.post("/auth", {"Password": PASSWORD}).error() == NOT_AUTHENTICATED


def test_a_form_gets_the_same_refusal(wire):
    response = wire.post("/auth/credentials", LOGIN | {"Password": "wrong"}, type_=FORM)

    assert (response.status, response.error()) == (401, INVALID)
