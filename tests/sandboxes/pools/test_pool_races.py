"""A slow fetch that fails must not end a later assignment of the same instance."""

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import pytest

from orgs.salesforce.emulator import Emulator, Fault
from orgs.salesforce.emulator.wire import Request, Response
from sandboxes.models import PoolInstance
from tests.sandboxes.factories import FETCH, REPOSITORY, UNASSIGN, a_production_org, an_instance
from tests.support.api_client import Caller
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
PR1 = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"}
TOKEN = "/services/oauth2/token"


class _Slow(Emulator):
    """Delays the first refresh of a sandbox until `may_continue` is set, and then fails it."""

    arrived: Event
    may_continue: Event

    def respond(self, request: Request) -> Response:
        if request.path == TOKEN and "--dev1" in request.host and not self.arrived.is_set():
            self.arrived.set()
            assert self.may_continue.wait(20)
            return Fault.html_maintenance().change(super().respond(request))
        return super().respond(request)


@pytest.fixture
def pool(owner, salesforce):
    """Create a pool of one sandbox that was fetched and returned, and whose next refresh is delayed and fails."""
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    an_instance(owner, "dev1")
    assert owner.post(FETCH, PR1).status_code == 200
    assert owner.post(UNASSIGN, {"repository": REPOSITORY, "assignmentId": "pr-1"}).status_code == 200
    salesforce.__class__, salesforce.arrived, salesforce.may_continue = _Slow, Event(), Event()
    return salesforce


def test_a_late_failure_does_not_end_the_next_assignment(pool, owner, application):
    def next_holder():
        caller = Caller(owner.bearer)
        assert pool.arrived.wait(20)
        caller.post(UNASSIGN, {"repository": REPOSITORY, "assignmentId": "pr-1"})
        PoolInstance.objects.filter(status="AVAILABLE").update(status="ASSIGNED", assignment_id="pr-2")
        pool.may_continue.set()

    calls: list[Callable[[], Any]] = [partial(Caller(application.bearer).post, FETCH, PR1), next_holder]
    failed, _ = run_together(calls)

    assert failed.status_code == 503
    assert PoolInstance.objects.get().assignment_id == "pr-2"


def test_a_late_failure_does_not_end_an_assignment_that_was_fetched_again(pool, application):
    def fetch_again():
        assert pool.arrived.wait(20)
        PoolInstance.objects.get()  # Still assigned. A client that timed out fetches again.
        from sandboxes.pools.assignment import FetchRequest, _current

        assert _current(FetchRequest(REPOSITORY, "features", "pr-1"))
        pool.may_continue.set()

    calls: list[Callable[[], Any]] = [partial(Caller(application.bearer).post, FETCH, PR1), fetch_again]
    failed, _ = run_together(calls)

    assert failed.status_code == 503
    assert PoolInstance.objects.get().assignment_id == "pr-1"
