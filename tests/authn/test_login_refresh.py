"""POST /sfp/api/auth/refresh: each refresh token works once, and ends with its log-in."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from authn.models import AuditEvent, LoginFamily, User
from authn.principals import system
from authn.roles import Role
from authn.users import update_user
from tests.conftest import PASSWORD
from tests.support.api_client import Caller

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
def test_a_refresh_token_works_once(anonymous, olga):
    first = _log_in(anonymous).json()

    second = anonymous.post(REFRESH, {"refresh_token": first["refresh_token"]})

    assert second.status_code == 200
    assert set(second.json()) == {"success", "access_token", "refresh_token"}
    assert Caller(second.json()["access_token"]).get(ORGS).status_code == 200


@pytest.mark.database
def test_a_reused_refresh_token_revokes_the_log_in(anonymous, olga):
    first = _log_in(anonymous).json()
    second = anonymous.post(REFRESH, {"refresh_token": first["refresh_token"]}).json()

    reused = anonymous.post(REFRESH, {"refresh_token": first["refresh_token"]})

    assert (reused.status_code, reused.json()["code"]) == (401, "REFRESH_REUSED")
    assert anonymous.post(REFRESH, {"refresh_token": second["refresh_token"]}).status_code == 401
    assert Caller(second["access_token"]).get(ORGS).json()["code"] == "TOKEN_REVOKED"
    assert AuditEvent.objects.filter(action="person.refresh_token_reused").count() == 1


@pytest.mark.parametrize("token", ["x", "a.b.c", "fdt_" + "x" * 42])
def test_an_invalid_refresh_token_is_refused(anonymous, db, token):
    assert anonymous.post(REFRESH, {"refresh_token": token}).json()["code"] == "REFRESH_INVALID"


def test_access_and_refresh_tokens_are_not_interchangeable(anonymous, olga):
    pair = _log_in(anonymous).json()

    assert anonymous.post(REFRESH, {"refresh_token": pair["access_token"]}).refusal == (401, "REFRESH_INVALID")
    assert Caller(pair["refresh_token"]).get(ORGS).refusal == (401, "TOKEN_INVALID")


def test_an_expired_refresh_token_is_refused(anonymous, olga):
    token = _log_in(anonymous).json()["refresh_token"]

    with time_machine.travel(timezone.now() + timedelta(days=14, minutes=1)):
        response = anonymous.post(REFRESH, {"refresh_token": token})

    assert response.refusal == (401, "REFRESH_INVALID")


@pytest.mark.database
def test_deactivating_a_user_ends_every_log_in(anonymous, olga, a_person):
    pair = _log_in(anonymous).json()
    a_person("second@acme.example", Role.OWNER)

    update_user(olga, by=system("tests"), is_active=False)

    assert Caller(pair["access_token"]).get(ORGS).status_code == 401
    assert anonymous.post(REFRESH, {"refresh_token": pair["refresh_token"]}).status_code == 401
    assert LoginFamily.objects.filter(revoked_at=None).count() == 0


@pytest.mark.database
def test_ending_log_ins_does_not_affect_other_users(anonymous, olga, a_person):
    a_person("second@acme.example", Role.OWNER)
    theirs = _log_in(anonymous, "second@acme.example").json()["access_token"]

    olga.end_logins()

    assert Caller(theirs).get(ORGS).status_code == 200


@pytest.mark.database
def test_a_refresh_token_of_an_ended_log_in_is_refused_and_audited(anonymous, olga):
    token = _log_in(anonymous).json()["refresh_token"]
    olga.end_logins()

    response = anonymous.post(REFRESH, {"refresh_token": token})

    assert response.status_code == 401
    event = AuditEvent.objects.get(action="person.login_refreshed")
    assert (event.outcome, event.code, event.actor_name) == ("refused", "REFRESH_INVALID", EMAIL)


@pytest.mark.database
def test_a_successful_refresh_does_not_count_toward_the_limit(anonymous, olga):
    pair = _log_in(anonymous).json()

    for _ in range(65):
        response = anonymous.post(REFRESH, {"refresh_token": pair["refresh_token"]})
        assert response.status_code == 200
        pair = response.json()

    assert _log_in(anonymous).status_code == 200


@pytest.mark.database
def test_a_refused_refresh_counts_toward_the_limit(anonymous, olga):
    statuses = [anonymous.post(REFRESH, {"refresh_token": "x"}).status_code for _ in range(62)]

    assert statuses == [401] * 60 + [429] * 2
    assert _log_in(anonymous).refusal == (429, "TOO_MANY_REQUESTS")
