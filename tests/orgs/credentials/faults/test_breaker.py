"""The circuit breaker: five failures in a minute pause a credential for half a minute, on every route."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Fault
from tests.orgs.credentials.faults.fault_table import (
    BUSY,
    LIMITED,
    LOST,
    NEVER_SENT,
    PAGES,
    TOKEN_PATH,
    UNREADABLE,
    FaultCase,
)
from tests.orgs.credentials.faults.routes import OF_KNOWN_ORG, TOKEN, calls, cells, health_of, shows_no_secret

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def _trip_the_breaker() -> None:
    Credential.objects.update(paused_until=Now() + timedelta(seconds=30))


def test_five_failures_open_the_breaker(owner, member, salesforce, urls, each):
    cases = [*PAGES, *LOST, *NEVER_SENT, *UNREADABLE]
    for case, _ in cells(cases, [TOKEN]):
        with each(case.id):
            end = salesforce.inject(case.fault, path=TOKEN_PATH, times=None)
            codes = [TOKEN.read(TOKEN.send(owner, urls))[1] for _ in range(5)]
            end()
            salesforce.reset_calls()

            paused = TOKEN.send(owner, urls)
            calls_while_paused = calls(salesforce)
            Credential.objects.update(paused_until=F("paused_until") - timedelta(seconds=30))
            afterwards = TOKEN.send(owner, urls)

            assert "UPSTREAM_PAUSED" not in codes
            assert TOKEN.read(paused)[:2] == (503, "UPSTREAM_PAUSED")
            assert 20 <= int(paused.headers["Retry-After"]) <= 30
            assert calls_while_paused == (0, 0)
            assert afterwards.status_code == 200, afterwards


def test_an_open_breaker_stops_every_route(owner, member, salesforce, urls, each):
    for route in OF_KNOWN_ORG:
        with each(route.id):
            _trip_the_breaker()

            response = route.send(owner, urls)

            status, code, retry_after = route.read(response)
            assert (status, code) == route.expected(FaultCase("paused", BUSY, 503, "UPSTREAM_PAUSED"))[:2]
            assert (retry_after is None) == (status == 200)
            assert health_of(member) == ("healthy", None)
            assert calls(salesforce) == (0, 0)
            assert shows_no_secret(response, salesforce)


def test_a_limit_of_salesforce_does_not_open_the_breaker(owner, salesforce, urls, each):
    for case in LIMITED[:2]:
        with each(case.id):
            salesforce.inject(case.fault, path=TOKEN_PATH, times=6)

            codes = [TOKEN.read(TOKEN.send(owner, urls))[1] for _ in range(6)]

            assert codes == [case.code] * 6


@pytest.mark.parametrize("between", ["a success", "a minute"])
def test_five_failures_with_something_between_do_not_open_the_breaker(owner, salesforce, urls, between):
    salesforce.inject(Fault.status(500), path=TOKEN_PATH, times=4)
    for _ in range(4):
        TOKEN.send(owner, urls)
    if between == "a success":
        assert TOKEN.send(owner, urls).status_code == 200
    Credential.objects.update(failures_since=F("failures_since") - timedelta(seconds=61))
    salesforce.inject(Fault.status(500), path=TOKEN_PATH)
    TOKEN.send(owner, urls)

    assert TOKEN.send(owner, urls).status_code == 200
