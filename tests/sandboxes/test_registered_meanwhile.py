"""A sandbox that is registered during a refresh of its on-demand grant: the token is not issued."""

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import Any

import pytest

from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.wire import Request, Response
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import PROD, SANDBOX, a_production_org
from tests.support.api_client import Caller
from tests.support.concurrency import run_together

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
DEV1 = {"sandboxName": "dev1", "productionUsername": PROD}


class _Slow(Emulator):
    """Delays the first refresh of a sandbox until `may_continue` is set."""

    arrived: Event
    may_continue: Event

    def respond(self, request: Request) -> Response:
        if request.path == "/services/oauth2/token" and "--dev1" in request.host and not self.arrived.is_set():
            self.arrived.set()
            assert self.may_continue.wait(20)
        return super().respond(request)


def test_a_request_that_began_before_the_registration_is_refused(owner, member, salesforce):
    sandbox = salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    assert member.post(SANDBOX, DEV1).status_code == 201
    salesforce.__class__, salesforce.arrived, salesforce.may_continue = _Slow, Event(), Event()

    def register_sandbox():
        assert salesforce.arrived.wait(20)
        response = Caller(owner.bearer).post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
        salesforce.may_continue.set()
        return response

    calls: list[Callable[[], Any]] = [partial(Caller(member.bearer).post, SANDBOX, DEV1), register_sandbox]
    refused, registered = run_together(calls)

    assert registered.status_code == 201, registered
    assert refused.refusal == (400, "SANDBOX_REGISTERED")
