"""The login budget on each route: once it is spent, the newest token for ten minutes, then 429."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.faults.fault_table import BUSY, TOKEN_PATH, FaultCase, ids
from tests.orgs.credentials.faults.routes import (
    ISSUING,
    KNOWN_ORG,
    OF_KNOWN_ORG,
    TEST,
    TOKEN,
    Route,
    calls,
    health_of,
    shows_no_secret,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]

SPENT = FaultCase("spent", BUSY, 429, "LOGIN_BUDGET")


@pytest.fixture
def spent(owner, urls, settings, salesforce):
    """Spend a small login budget completely; return the newest token."""
    settings.LOGIN_BUDGET_PER_HOUR = 10
    Credential.objects.update(budget_spent_until=None)
    responses = [TOKEN.send(owner, urls) for _ in range(2)]
    assert "X-Token-Source" not in responses[1].headers
    salesforce.reset_calls()
    return responses[1].json()["accessToken"]


@pytest.mark.parametrize("route", ISSUING, ids=ids)
def test_a_young_token_is_issued_again(owner, member, salesforce, urls, spent, route: Route):
    response = route.send(owner, urls)

    assert response.status_code == 200, response
    assert response.json()["accessToken"] == spent
    assert health_of(member) == ("healthy", None)
    assert calls(salesforce) == (0, 0)


@pytest.mark.parametrize("route", ISSUING, ids=ids)
def test_a_reused_token_is_marked_in_a_header(owner, urls, spent, route: Route):
    assert route.send(owner, urls).headers.get("X-Token-Source") == "reuse"


@pytest.mark.parametrize("route", [KNOWN_ORG, TEST], ids=ids)
def test_api_calls_reuse_a_young_token(owner, salesforce, urls, spent, route: Route):
    response = route.send(owner, urls)

    assert response.status_code == (200 if route is TEST else 201), response
    assert salesforce.refreshes() == 0


def test_a_young_token_is_issued_again_after_a_failure(owner, salesforce, urls, settings):
    settings.LOGIN_BUDGET_PER_HOUR = 10
    Credential.objects.update(budget_spent_until=None)
    token = TOKEN.send(owner, urls).json()["accessToken"]
    salesforce.inject(Fault.status(500), path=TOKEN_PATH)
    assert TOKEN.send(owner, urls).status_code == 503

    response = TOKEN.send(owner, urls)

    assert response.status_code == 200, response
    assert (response.json()["accessToken"], response.headers["X-Token-Source"]) == (token, "reuse")


@pytest.mark.parametrize("route", OF_KNOWN_ORG, ids=ids)
def test_without_a_young_token_the_spent_budget_is_reported(owner, member, salesforce, urls, spent, route: Route):
    Credential.objects.update(last_success_at=Now() - timedelta(minutes=10, seconds=1))

    response = route.send(owner, urls)

    status, code, retry_after = route.read(response)
    assert (status, code) == route.expected(SPENT)[:2], response
    assert (retry_after is None) == (status == 200)
    assert 400 <= int(retry_after or 450) <= 450, "eight an hour return, one each 450 seconds"
    assert health_of(member) == ("healthy", None)
    assert calls(salesforce) == (0, 0)
    assert shows_no_secret(response, salesforce)


def test_the_budget_returns_over_time(owner, urls, spent):
    Credential.objects.update(budget_spent_until=F("budget_spent_until") - timedelta(seconds=451))

    response = TOKEN.send(owner, urls)

    assert response.status_code == 200
    assert response.json()["accessToken"] != spent


def test_a_forced_refresh_stays_within_the_budget(owner, salesforce, urls, settings):
    settings.LOGIN_BUDGET_PER_HOUR = 10
    Credential.objects.update(budget_spent_until=None)
    salesforce.inject(Fault.oauth("invalid_grant", "inactive user"), path=TOKEN_PATH, times=2)
    TOKEN.send(owner, urls)
    TEST.send(owner, urls)
    salesforce.reset_calls()

    response = TEST.send(owner, urls)

    assert (response.json()["isValid"], response.json()["code"]) == (False, "LOGIN_BUDGET")
    assert calls(salesforce) == (0, 0)
