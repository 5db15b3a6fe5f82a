"""POST /sfp/api/auth/admin/login: sessions, refusals and lockout."""

import base64
import json
from datetime import timedelta
from functools import partial

import pytest

from authn.lockout import LoginThrottle
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
def test_a_person_logs_in(anonymous, olga):
    answer = _log_in(anonymous)

    assert answer.status_code == 200
    body = answer.json()
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
    answer = _log_in(anonymous, *case(olga))

    body = answer.json()
    request_id = body.pop("requestId")
    assert answer.status_code == 401
    assert request_id == answer.headers["X-Request-Id"]
    assert body == {
        "statusCode": 401,
        "error": "Invalid credentials",
        "code": "INVALID_CREDENTIALS",
        "message": "Invalid credentials",
        "action": "Check e-mail and password. An owner can reset your password.",
        "success": False,
    }


def test_the_access_token_names_no_role_and_no_email(anonymous, olga):
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

    answer = Caller(token).get("/sfp/api/application-tokens")

    assert answer.refusal == (403, "ROLE_REQUIRED")


@pytest.mark.database
def test_log_ins_and_refusals_are_audited_with_the_name_and_the_address(anonymous, olga):
    _log_in(anonymous)
    _log_in(anonymous, password="wrong")

    refused, granted = AuditEvent.objects.filter(action="person.login")
    assert (granted.outcome, granted.actor_name, granted.address) == ("granted", EMAIL, "127.0.0.1")
    assert (refused.outcome, refused.actor_name, refused.code) == ("refused", EMAIL, "INVALID_CREDENTIALS")


# --- Lockout -----------------------------------------------------------------------------------------


@pytest.mark.database
def test_five_wrong_passwords_lock_a_name_for_a_quarter_of_an_hour(anonymous, olga):
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
def test_guesses_that_begin_together_count_each_other(olga):
    answers = run_together([partial(_log_in, Caller(), password="wrong")] * 16)

    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 11


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_names_that_are_tried_together_count_for_their_address(olga, monkeypatch):
    monkeypatch.setattr(LoginThrottle, "limit", 8)

    answers = run_together([partial(_log_in, Caller(), f"u{number}@acme.example", "x") for number in range(16)])

    assert sorted(answer.status_code for answer in answers) == [401] * 8 + [429] * 8


@pytest.mark.database
def test_other_spellings_count_for_the_same_name(anonymous, olga):
    for spelling in (EMAIL, EMAIL.upper(), f" {EMAIL}", "ｏlga@acme.example", EMAIL):
        _log_in(anonymous, spelling, "wrong")

    assert _log_in(anonymous).refusal == (429, "LOGIN_LOCKED")


def test_a_name_is_locked_whether_or_not_it_exists(anonymous, olga):
    for _ in range(5):
        _log_in(anonymous, "nobody@acme.example", "wrong")

    assert _log_in(anonymous, "nobody@acme.example").refusal == (429, "LOGIN_LOCKED")
    assert _log_in(anonymous).status_code == 200


@pytest.mark.database
def test_a_good_password_starts_the_count_anew(anonymous, olga):
    for _ in range(3):
        for _ in range(3):
            _log_in(anonymous, password="wrong")
        assert _log_in(anonymous).status_code == 200


@pytest.mark.database
def test_one_address_cannot_try_many_names(anonymous, olga):
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


def test_behind_a_trusted_proxy_each_client_has_a_count_of_its_own(anonymous, olga, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    for number in range(65):
        answer = anonymous.send(
            "POST",
            LOGIN,
            {"email": f"u{number}@acme.example", "password": "x"},
            headers={"X-Forwarded-For": f"1.2.3.4, 10.0.0.{number}"},
        )
        assert answer.refusal == (401, "INVALID_CREDENTIALS")
