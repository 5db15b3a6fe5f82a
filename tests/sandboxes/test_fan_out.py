"""A search among several orgs keeps its budget of time, whoever hangs."""

import threading
import time

import pytest

from orgs.models import SalesforceOrg
from sandboxes.errors import NotFound
from sandboxes.on_demand.fan_out import OrgResult, query_all

pytestmark = pytest.mark.django_db(transaction=True)
QUICK, HANGING, BROKEN = (SalesforceOrg(username=f"{name}@acme.example") for name in ("quick", "hanging", "broken"))


@pytest.fixture
def let_go():
    event = threading.Event()
    yield event
    event.set()


def test_whoever_hangs_counts_as_unasked_when_the_time_is_over(let_go):
    def question(org):
        if org is HANGING:
            let_go.wait(30)
        if org is BROKEN:
            raise NotFound("GONE", "It is gone.", "Look elsewhere.")
        return org.username

    began = time.monotonic()
    replies = query_all([HANGING, QUICK, BROKEN], question, seconds=0.5)

    assert time.monotonic() - began < 10
    assert replies == [
        OrgResult(HANGING, error_code="UPSTREAM_TIMEOUT"),
        OrgResult(QUICK, "quick@acme.example"),
        OrgResult(BROKEN, error_code="GONE"),
    ]


def test_those_who_wait_for_a_place_are_not_asked_after_the_time_is_over(let_go):
    asked = []

    def question(org):
        asked.append(org)
        let_go.wait(30)

    orgs = [SalesforceOrg(username=f"{number}@acme.example") for number in range(12)]
    replies = query_all(orgs, question, seconds=0.2)
    let_go.set()
    time.sleep(0.2)

    assert [reply.error_code for reply in replies] == ["UPSTREAM_TIMEOUT"] * 12
    assert len(asked) == 8
