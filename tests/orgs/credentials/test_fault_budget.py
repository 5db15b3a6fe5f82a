"""The login budget on each route: the newest token while it is young, then 429 (design 9.9)."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.faults import BUSY, TOKEN_PATH, FaultCase, ids
from tests.orgs.credentials.routes import (
    HANDING_OUT,
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
    """Spend a small budget to its end; return the newest token."""
    settings.LOGIN_BUDGET_PER_HOUR = 10
    Credential.objects.update(budget_spent_until=None)
    answers = [TOKEN.ask(owner, urls) for _ in range(2)]
    assert "X-Token-Source" not in answers[1].headers
    salesforce.reset_calls()
    return answers[1].json()["accessToken"]


@pytest.mark.parametrize("route", HANDING_OUT, ids=ids)
def test_a_young_token_is_handed_out_again(owner, member, salesforce, urls, spent, route: Route):
    answer = route.ask(owner, urls)

    assert answer.status_code == 200, answer
    assert answer.json()["accessToken"] == spent
    assert health_of(member) == ("healthy", None)
    assert calls(salesforce) == (0, 0)


@pytest.mark.parametrize("route", HANDING_OUT, ids=ids)
def test_the_answer_says_that_it_is_not_fresh(owner, urls, spent, route: Route):
    assert route.ask(owner, urls).headers.get("X-Token-Source") == "reuse"


@pytest.mark.parametrize("route", [KNOWN_ORG, TEST], ids=ids)
def test_questions_are_asked_with_a_young_token(owner, salesforce, urls, spent, route: Route):
    answer = route.ask(owner, urls)

    assert answer.status_code == (200 if route is TEST else 201), answer
    assert salesforce.refreshes() == 0


def test_a_young_token_is_handed_out_again_after_a_failure_too(owner, salesforce, urls, settings):
    settings.LOGIN_BUDGET_PER_HOUR = 10
    Credential.objects.update(budget_spent_until=None)
    token = TOKEN.ask(owner, urls).json()["accessToken"]
    salesforce.inject(Fault.status(500), path=TOKEN_PATH)
    assert TOKEN.ask(owner, urls).status_code == 503

    answer = TOKEN.ask(owner, urls)

    assert answer.status_code == 200, answer
    assert (answer.json()["accessToken"], answer.headers["X-Token-Source"]) == (token, "reuse")


@pytest.mark.parametrize("route", OF_KNOWN_ORG, ids=ids)
def test_without_a_young_token_the_budget_is_told(owner, member, salesforce, urls, spent, route: Route):
    Credential.objects.update(last_success_at=Now() - timedelta(minutes=10, seconds=1))

    answer = route.ask(owner, urls)

    status, code, retry_after = route.read(answer)
    assert (status, code) == route.told(SPENT)[:2], answer
    assert (retry_after is None) == (status == 200)
    assert 400 <= int(retry_after or 450) <= 450, "eight an hour come back, one each 450 seconds"
    assert health_of(member) == ("healthy", None)
    assert calls(salesforce) == (0, 0)
    assert shows_no_secret(answer, salesforce)


def test_the_budget_comes_back(owner, urls, spent):
    Credential.objects.update(budget_spent_until=F("budget_spent_until") - timedelta(seconds=451))

    answer = TOKEN.ask(owner, urls)

    assert answer.status_code == 200
    assert answer.json()["accessToken"] != spent


def test_asking_again_after_a_refusal_stays_within_the_budget(owner, salesforce, urls, settings):
    settings.LOGIN_BUDGET_PER_HOUR = 10
    Credential.objects.update(budget_spent_until=None)
    salesforce.inject(Fault.oauth("invalid_grant", "inactive user"), path=TOKEN_PATH, times=2)
    TOKEN.ask(owner, urls)
    TEST.ask(owner, urls)
    salesforce.reset_calls()

    answer = TEST.ask(owner, urls)

    assert (answer.json()["isValid"], answer.json()["code"]) == (False, "LOGIN_BUDGET")
    assert calls(salesforce) == (0, 0)
