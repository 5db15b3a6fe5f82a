"""A sandbox that is registered while a key on demand for it is being refreshed: the key is not handed out."""

from functools import partial
from threading import Event

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
    """Holds the first refresh of a sandbox until it is let go."""

    arrived: Event
    let_go: Event

    def answer(self, request: Request) -> Response:
        if request.path == "/services/oauth2/token" and "--dev1" in request.host and not self.arrived.is_set():
            self.arrived.set()
            assert self.let_go.wait(20)
        return super().answer(request)


def test_who_began_before_it_was_registered_is_refused(owner, member, salesforce):
    sandbox = salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    assert member.post(SANDBOX, DEV1).status_code == 201
    salesforce.__class__, salesforce.arrived, salesforce.let_go = _Slow, Event(), Event()

    def registers():
        assert salesforce.arrived.wait(20)
        answer = Caller(owner.bearer).post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
        salesforce.let_go.set()
        return answer

    refused, registered = run_together([partial(Caller(member.bearer).post, SANDBOX, DEV1), registers])

    assert registered.status_code == 201, registered
    assert (refused.status_code, refused.json()["code"]) == (400, "SANDBOX_REGISTERED")
