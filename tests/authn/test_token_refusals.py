"""Refused tokens are counted in the audit, at most one row an hour for each holder."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from authn import tokens
from authn.models import ApplicationToken, AuditEvent, TokenRefusals, User
from authn.principals import system
from authn.users import update_user
from tests.authn.servicestack.wire import Wire
from tests.conftest import PASSWORD
from tests.support.api_client import Caller
from tests.support.concurrency import run_together
from tests.support.refusing_table import refusing

pytestmark = [pytest.mark.database, pytest.mark.django_db]
ORGS = "/sfp/api/auth/salesforce/orgs"
LOGIN = "/sfp/api/auth/admin/login"
REFRESH = "/sfp/api/auth/refresh"
EMAIL = "mia@acme.example"
BY = system("tests")


@pytest.fixture
def mia(a_person) -> User:
    return a_person(EMAIL)


def _log_in() -> dict[str, str]:
    return Caller().post(LOGIN, {"email": EMAIL, "password": PASSWORD}).json()


def _rows() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(outcome="refused").order_by("id"))


def _let_an_hour_pass() -> None:
    TokenRefusals.objects.update(reported_at=F("reported_at") - timedelta(hours=1))


def _expired(mia) -> str:
    """Return an access token that expired two hours ago."""
    with time_machine.travel(timezone.now() - timedelta(hours=3)):
        return _log_in()["access_token"]


def _revoked(mia) -> str:
    token = _log_in()["access_token"]
    mia.end_logins()
    return token


def _deactivated(mia) -> str:
    token = _log_in()["access_token"]
    update_user(mia, by=BY, is_active=False)
    return token


def _expired_application(_) -> str:
    row, value = tokens.issue(name="nightly", days=1, by=BY)
    ApplicationToken.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    return value


def _revoked_application(_) -> str:
    row, value = tokens.issue(name="nightly", days=1, by=BY)
    tokens.revoke(str(row.pk), by=BY)
    return value


@pytest.mark.parametrize(
    ("make", "name", "code"),
    [
        (_expired, EMAIL, "TOKEN_EXPIRED"),
        (_revoked, EMAIL, "TOKEN_REVOKED"),
        (_deactivated, EMAIL, "TOKEN_INVALID"),
        (_expired_application, "nightly", "TOKEN_EXPIRED"),
        (_revoked_application, "nightly", "TOKEN_REVOKED"),
    ],
)
def test_a_refused_bearer_token_is_one_audit_row_an_hour_with_a_count(make, name, code, mia):
    caller = Caller(make(mia))

    responses = [caller.get(ORGS) for _ in range(4)]
    first = _rows()
    _let_an_hour_pass()
    caller.get(ORGS)

    assert {(response.status_code, response.json()["code"]) for response in responses} == {(401, code)}
    assert [(row.action, row.actor_name, row.code, row.details["refusals"]) for row in first] == [
        ("request", name, code, 1)
    ]
    assert first[0].address == "127.0.0.1"
    assert first[0].details == {"refusals": 1, "method": "GET", "view": "SalesforceOrgViewSet"}
    assert [row.details["refusals"] for row in _rows()] == [1, 4]


def test_servicestack_endpoints_count_with_the_api(mia):
    token = _expired(mia)

    Caller(token).get(ORGS)
    for _ in range(3):
        assert Wire().who(Authorization=f"Bearer {token}") == 401

    assert [row.code for row in _rows()] == ["TOKEN_EXPIRED"]
    assert TokenRefusals.objects.get().unreported == 3


def _refresh(pair) -> int:
    return Caller().post(REFRESH, {"refresh_token": pair["refresh_token"]}).status_code


def _refresh_at_servicestack(login) -> int:
    return Wire().post("/access-token", {"refreshToken": login["refreshToken"]}).status


def _log_in_at_servicestack() -> dict[str, str]:
    return Wire().post("/auth/credentials", {"UserName": EMAIL, "Password": PASSWORD}).json()


@pytest.mark.parametrize(
    ("log_in", "refresh"), [(_log_in, _refresh), (_log_in_at_servicestack, _refresh_at_servicestack)]
)
def test_a_refresh_token_of_an_ended_log_in_is_one_audit_row_an_hour(log_in, refresh, mia):
    pair = log_in()
    mia.end_logins()

    assert [refresh(pair) for _ in range(5)] == [401] * 5

    assert [(row.action, row.actor_name) for row in _rows()] == [("person.login_refreshed", EMAIL)]


@pytest.mark.parametrize("bearer", ["", "x", "a.b.c", "fdt_" + "x" * 42, "eyJhbGciOiJub25lIn0.e30."])
def test_an_invented_or_missing_bearer_token_is_only_logged(bearer, caplog, db):
    with caplog.at_level(logging.INFO, logger="frontdesk.errors"):
        assert Caller(bearer).get(ORGS).status_code == 401

    assert len([line for line in caplog.messages if line.startswith("Refused GET SalesforceOrgViewSet")]) == 1
    assert not AuditEvent.objects.exists()
    assert not TokenRefusals.objects.exists()


def test_each_refused_bearer_token_is_logged(mia, caplog):
    caller = Caller(_expired(mia))

    with caplog.at_level(logging.INFO, logger="frontdesk.refusals"):
        for _ in range(3):
            caller.get(ORGS)

    assert caplog.messages.count(f"Refused a token of user {mia.pk}: TOKEN_EXPIRED") == 3


def test_the_sweep_records_refusals_after_the_row(mia):
    caller = Caller(_expired(mia))
    for _ in range(7):
        caller.get(ORGS)
    call_command("sweep")
    assert len(_rows()) == 1

    _let_an_hour_pass()
    call_command("sweep")
    call_command("sweep")

    counted = _rows()[1]
    assert len(_rows()) == 2
    assert (counted.actor_name, counted.code, counted.details["refusals"]) == (EMAIL, "TOKEN_EXPIRED", 6)
    assert counted.details["since"] < timezone.now().isoformat()


def test_the_sweep_deletes_counts_without_new_refusals(mia):
    Caller(_expired(mia)).get(ORGS)
    _let_an_hour_pass()

    call_command("sweep")

    assert not TokenRefusals.objects.exists()
    assert len(_rows()) == 1


def test_the_token_of_a_deleted_user_is_counted_by_id(mia):
    token, identifier = _expired(mia), str(mia.pk)
    User.objects.all().delete()

    assert Caller(token).get(ORGS).status_code == 401

    assert (_rows()[0].actor_id, _rows()[0].actor_name) == (identifier, "")


@pytest.mark.django_db(transaction=True)
def test_concurrent_refusals_are_counted_in_one_row(mia):
    token = _expired(mia)

    run_together([lambda: Caller(token).get(ORGS)] * 10)

    assert [row.details["refusals"] for row in _rows()] == [1]
    assert TokenRefusals.objects.get().unreported == 9


def test_each_refused_request_of_an_active_user_is_a_row(member):
    for _ in range(3):
        assert member.get("/sfp/api/application-tokens").status_code == 403

    assert [row.code for row in _rows()] == ["ROLE_REQUIRED"] * 3


def test_a_refusal_that_cannot_be_counted_is_a_503_of_the_database(mia):
    token = _revoked(mia)

    with refusing(TokenRefusals, "INSERT"):
        response = Caller(token).get(ORGS)

    assert (response.status_code, response.json()["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert response.headers["Retry-After"] == "5"
    assert not TokenRefusals.objects.exists()
