"""POST .../sandbox/authenticate without a production org: all that are registered are asked, and one is told."""

from threading import Event

import pytest

from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Emulator
from orgs.salesforce.emulator.wire import Request, Response
from sandboxes.models import OnDemandGrant
from sandboxes.on_demand import fan_out
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import PROD, SANDBOX, a_production_org

pytestmark = pytest.mark.django_db
DEV1 = {"sandboxName": "dev1", "productionUsername": PROD}


class _Hanging(Emulator):
    """Answers nothing at one org until it is let go."""

    let_go: Event

    def answer(self, request: Request) -> Response:
        if request.host.startswith("slow."):
            self.let_go.wait(60)
        return super().answer(request)


@pytest.mark.django_db(transaction=True)
def test_without_a_production_org_all_are_asked(owner, member, salesforce):
    a_production_org(owner, salesforce, "other@acme.example")
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")

    answer = member.post(SANDBOX, {"sandboxName": "DEV1"})

    assert answer.status_code == 201, answer
    assert answer.json()["productionOrg"]["username"] == PROD


@pytest.mark.django_db(transaction=True)
def test_one_dead_production_org_does_not_fail_the_search(owner, member, salesforce):
    dead = a_production_org(owner, salesforce, "dead@acme.example")
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    dead.revoke_all()

    found, not_found = member.post(SANDBOX, {"sandboxName": "dev1"}), member.post(SANDBOX, {"sandboxName": "dev9"})

    assert found.status_code == 201, found
    assert (not_found.status_code, not_found.json()["code"]) == (503, "SEARCH_INCOMPLETE")
    assert not_found.headers["Retry-After"] == "30"
    assert "dead@acme.example (CREDENTIAL_EXPIRED)" in not_found.json()["message"]


@pytest.mark.django_db(transaction=True)
def test_a_name_of_two_production_orgs_is_never_picked_by_chance(owner, member, salesforce):
    for username in ("other@acme.example", PROD):
        salesforce.add_sandbox(a_production_org(owner, salesforce, username), "dev1")

    answer = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert (answer.status_code, answer.json()["code"]) == (409, "AMBIGUOUS_SANDBOX")
    assert "ci@acme.example, other@acme.example" in answer.json()["message"]
    assert member.post(SANDBOX, DEV1).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_deleted_namesake_makes_no_name_ambiguous(owner, member, salesforce):
    other = a_production_org(owner, salesforce, "other@acme.example")
    salesforce.add_sandbox(other, "dev1")
    other.processes[-1].status = "Deleted"
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")

    answer = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert answer.status_code == 201, answer
    assert answer.json()["productionOrg"]["username"] == PROD


@pytest.mark.django_db(transaction=True)
def test_a_search_waits_for_nobody_longer_than_its_budget(owner, member, salesforce, monkeypatch):
    for username in ("slow@acme.example", PROD):
        a_production_org(owner, salesforce, username)
    assert fan_out.TIME_LIMIT_SECONDS == 20
    monkeypatch.setattr(fan_out, "TIME_LIMIT_SECONDS", 1)
    salesforce.__class__, salesforce.let_go = _Hanging, Event()

    answer = member.post(SANDBOX, {"sandboxName": "dev1"})

    salesforce.let_go.set()
    assert (answer.status_code, answer.json()["code"]) == (503, "SEARCH_INCOMPLETE")
    assert "slow@acme.example (UPSTREAM_TIMEOUT)" in answer.json()["message"]


@pytest.mark.django_db(transaction=True)
def test_two_users_of_one_production_org_are_one_org(owner, member, salesforce):
    production = a_production_org(owner, salesforce)
    other = production.add_user("release@acme.example")
    owner.post(REGISTER, {"sfdxAuthUrl": production.auth_url(user=other)})
    salesforce.add_sandbox(production, "dev1", creator=other)

    answer = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert answer.status_code == 201, answer
    assert answer.json()["productionOrg"]["username"] == "release@acme.example"


def test_a_sandbox_that_nobody_has_is_not_found(member, salesforce, production):
    anywhere = member.post(SANDBOX, {"sandboxName": "nope"})
    there = member.post(SANDBOX, {"sandboxName": "nope", "productionUsername": PROD})

    assert (anywhere.status_code, anywhere.json()["code"]) == (404, "SANDBOX_NOT_FOUND")
    assert (there.status_code, there.json()["code"]) == (404, "SANDBOX_NOT_FOUND")
    assert PROD in there.json()["message"]
    assert not OnDemandGrant.objects.exists()
    assert Credential.objects.filter(org=None).count() == 0


def test_a_production_org_must_be_registered_and_be_one(owner, member, salesforce, production, sandbox):
    nobody = member.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": "nobody@acme.example"})
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    no_production = member.post(SANDBOX, {"sandboxName": "qa", "productionUsername": sandbox.username})

    assert (nobody.status_code, nobody.json()["code"]) == (404, "ORG_NOT_FOUND")
    assert (no_production.status_code, no_production.json()["code"]) == (400, "NOT_A_PRODUCTION_ORG")


def test_without_any_production_org_the_answer_says_so(member, salesforce):
    answer = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert (answer.status_code, answer.json()["code"]) == (404, "PRODUCTION_ORG_NOT_FOUND")
