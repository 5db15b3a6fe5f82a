"""POST /sfp/api/auth/admin/login: sessions, refusals and lockout."""

import base64
import json
from datetime import timedelta
from functools import partial

import pytest

from authn.models import AuditEvent, User
from authn.principals import system
from authn.roles import Role
from authn.users import update_user
from tests.authn.counts import let_pass
from tests.conftest import PASSWORD
from tests.support.api_client import Caller
from tests.support.concurrency import run_together

pytestmark = pytest.mark.django_db
LOGIN = "/sfp/api/auth/admin/login"
REFRESH = "/sfp/api/auth/refresh"
ORGS = "/sfp/api/auth/salesforce/orgs"
EMAIL = "olga@acme.example"


@pytest.fixture
def olga(a_person) -> User:
    return a_person(EMAIL, Role.OWNER)


def _log_in(anonymous, email=EMAIL, password=PASSWORD):
    return anonymous.post(LOGIN, {"email": email, "password": password})


@pytest.mark.database
def test_a_user_logs_in(anonymous, olga):
    response = _log_in(anonymous)

    assert response.status_code == 200
    body = response.json()
    assert body["success"] is True
    assert body["user"] == {"id": str(olga.id), "email": EMAIL, "role": "owner"}
    assert Caller(body["access_token"]).get(ORGS).status_code == 200


@pytest.mark.database
@pytest.mark.parametrize("spelling", ["OLGA@ACME.example", " olga@acme.example ", "ｏlga@acme.example"])
def test_the_spelling_of_an_email_does_not_matter(anonymous, olga, spelling):
    assert _log_in(anonymous, spelling).status_code == 200


def test_a_member_logs_in_with_the_role_of_a_member(anonymous, a_person):
    a_person("max@acme.example")

    assert _log_in(anonymous, "max@acme.example").json()["user"]["role"] == "member"


def _unknown(_):
    return "nobody@acme.example", PASSWORD


def _wrong_password(_):
    return EMAIL, "wrong"


def _inactive(olga):
    User.objects.filter(pk=olga.pk).update(is_active=False)
    return EMAIL, PASSWORD


def _no_password(olga):
    olga.set_unusable_password()
    olga.save()
    return EMAIL, PASSWORD


@pytest.mark.parametrize("case", [_unknown, _wrong_password, _inactive, _no_password])
def test_every_refusal_reads_the_same(anonymous, olga, case):
    response = _log_in(anonymous, *case(olga))

    body = response.json()
    request_id = body.pop("requestId")
    assert response.status_code == 401
    assert request_id == response.headers["X-Request-Id"]
    assert body == {
        "statusCode": 401,
        "error": "Invalid credentials",
        "code": "INVALID_CREDENTIALS",
        "message": "Invalid credentials",
        "action": "Check e-mail and password. An owner can reset your password.",
        "success": False,
    }


def test_the_access_token_contains_no_role_and_no_email(anonymous, olga):
    token = _log_in(anonymous).json()["access_token"]

    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert not {"role", "email"} & set(claims)
    assert claims["exp"] - claims["iat"] == 3600
    assert EMAIL not in json.dumps(claims)


@pytest.mark.database
def test_the_role_is_read_at_each_request(anonymous, olga, a_person):
    token = _log_in(anonymous).json()["access_token"]
    a_person("second@acme.example", Role.OWNER)
    update_user(olga, by=system("tests"), role=Role.MEMBER)

    response = Caller(token).get("/sfp/api/application-tokens")

    assert response.refusal == (403, "ROLE_REQUIRED")


@pytest.mark.database
def test_log_ins_and_refusals_are_audited_with_user_and_address(anonymous, olga):
    _log_in(anonymous)
    _log_in(anonymous, password="wrong")

    refused, granted = AuditEvent.objects.filter(action="person.login")
    assert (granted.outcome, granted.actor_name, granted.address) == ("granted", EMAIL, "127.0.0.1")
    assert (refused.outcome, refused.actor_name, refused.code) == ("refused", EMAIL, "INVALID_CREDENTIALS")


# --- Lockout -----------------------------------------------------------------------------------------


@pytest.mark.database
def test_five_wrong_passwords_lock_a_user_for_15_minutes(anonymous, olga):
    wrong = [_log_in(anonymous, password="wrong").status_code for _ in range(5)]
    locked = _log_in(anonymous)
    let_pass(timedelta(minutes=15))
    later = _log_in(anonymous)

    assert wrong == [401] * 5
    assert locked.status_code == 429
    assert 800 < int(locked.headers["Retry-After"]) <= 901
    assert locked.json()["success"] is False
    assert later.status_code == 200


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_concurrent_wrong_passwords_are_all_counted(olga):
    responses = run_together([partial(_log_in, Caller(), password="wrong")] * 16)

    assert sorted(response.status_code for response in responses) == [401] * 5 + [429] * 11


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_concurrent_attempts_for_different_users_count_for_their_address(olga, settings):
    settings.LOGINS_PER_ADDRESS_PER_MINUTE = 8

    responses = run_together([partial(_log_in, Caller(), f"u{number}@acme.example", "x") for number in range(16)])

    assert sorted(response.status_code for response in responses) == [401] * 8 + [429] * 8


@pytest.mark.database
def test_other_spellings_count_for_the_same_user(anonymous, olga):
    for spelling in (EMAIL, EMAIL.upper(), f" {EMAIL}", "ｏlga@acme.example", EMAIL):
        _log_in(anonymous, spelling, "wrong")

    assert _log_in(anonymous).refusal == (429, "LOGIN_LOCKED")


def test_an_unknown_user_is_locked_too(anonymous, olga):
    for _ in range(5):
        _log_in(anonymous, "nobody@acme.example", "wrong")

    assert _log_in(anonymous, "nobody@acme.example").refusal == (429, "LOGIN_LOCKED")
    assert _log_in(anonymous).status_code == 200


@pytest.mark.database
def test_a_correct_password_resets_the_count(anonymous, olga):
    for _ in range(3):
        for _ in range(3):
            _log_in(anonymous, password="wrong")
        assert _log_in(anonymous).status_code == 200


@pytest.mark.database
def test_one_address_cannot_try_many_users(anonymous, olga):
    statuses = [
        anonymous.send(
            "POST",
            LOGIN,
            {"email": f"u{number}@acme.example", "password": "x"},
            headers={"X-Forwarded-For": f"10.0.0.{number}"},
        ).status_code
        for number in range(65)
    ]

    assert statuses[:60] == [401] * 60
    assert statuses[60:] == [429] * 5


@pytest.mark.parametrize(("path", "name"), [(LOGIN, "email"), ("/login", "email"), ("/auth/credentials", "userName")])
def test_an_operator_sets_how_many_log_ins_an_address_may_try(path, name, anonymous, settings):
    settings.LOGINS_PER_ADDRESS_PER_MINUTE = 7

    statuses = [
        anonymous.post(path, {name: f"u{number}@acme.example", "password": "x"}).status_code for number in range(9)
    ]

    assert 429 not in statuses[:7]
    assert statuses[7:] == [429, 429]


def test_clients_behind_a_trusted_proxy_are_counted_separately(anonymous, olga, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(65):
        response = anonymous.send(
            "POST",
            LOGIN,
            {"email": f"u{number}@acme.example", "password": "x"},
            headers={"X-Forwarded-For": f"1.2.3.4, 10.0.0.{number}"},
        )
        assert response.refusal == (401, "INVALID_CREDENTIALS")
