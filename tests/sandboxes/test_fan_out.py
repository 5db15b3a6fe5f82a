"""A search of several orgs keeps its time limit when one of them hangs."""

import threading
import time

import pytest

from orgs.models import SalesforceOrg
from sandboxes.errors import NotFound
from sandboxes.on_demand.fan_out import OrgResult, query_all

pytestmark = pytest.mark.django_db(transaction=True)
QUICK, HANGING, BROKEN = (SalesforceOrg(username=f"{name}@acme.example") for name in ("quick", "hanging", "broken"))


@pytest.fixture
def may_continue():
    event = threading.Event()
    yield event
    event.set()


def test_an_org_that_hangs_is_a_timeout_after_the_time_limit(may_continue):
    def query(org):
        if org is HANGING:
            may_continue.wait(30)
        if org is BROKEN:
            raise NotFound("It does not exist.", code="GONE")
        return org.username

    began = time.monotonic()
    results = query_all([HANGING, QUICK, BROKEN], query, seconds=0.5)

    assert time.monotonic() - began < 10
    assert results == [
        OrgResult(HANGING, error_code="UPSTREAM_TIMEOUT"),
        OrgResult(QUICK, "quick@acme.example"),
        OrgResult(BROKEN, error_code="GONE"),
    ]


def test_waiting_queries_are_not_started_after_the_time_limit(may_continue):
    queried = []

    def query(org):
        queried.append(org)
        may_continue.wait(30)

    orgs = [SalesforceOrg(username=f"{number}@acme.example") for number in range(12)]
    results = query_all(orgs, query, seconds=0.2)
    may_continue.set()
    time.sleep(0.2)

    assert [result.error_code for result in results] == ["UPSTREAM_TIMEOUT"] * 12
    assert len(queried) == 8
