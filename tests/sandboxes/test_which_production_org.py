"""POST .../sandbox/authenticate without a production org: all registered ones are searched."""

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
    """Delays the responses of one org until `may_continue` is set."""

    may_continue: Event

    def respond(self, request: Request) -> Response:
        if request.host.startswith("slow."):
            self.may_continue.wait(60)
        return super().respond(request)


@pytest.mark.django_db(transaction=True)
def test_without_a_production_org_all_are_searched(owner, member, salesforce):
    a_production_org(owner, salesforce, "other@acme.example")
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")

    response = member.post(SANDBOX, {"sandboxName": "DEV1"})

    assert response.status_code == 201, response
    assert response.json()["productionOrg"]["username"] == PROD


@pytest.mark.django_db(transaction=True)
def test_a_production_org_without_access_does_not_fail_the_search(owner, member, salesforce):
    revoked = a_production_org(owner, salesforce, "dead@acme.example")
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")
    revoked.revoke_all()

    found, not_found = member.post(SANDBOX, {"sandboxName": "dev1"}), member.post(SANDBOX, {"sandboxName": "dev9"})

    assert found.status_code == 201, found
    assert not_found.refusal == (503, "SEARCH_INCOMPLETE")
    assert not_found.headers["Retry-After"] == "30"
    assert "dead@acme.example (CREDENTIAL_EXPIRED)" in not_found.json()["message"]


@pytest.mark.django_db(transaction=True)
def test_a_sandbox_name_in_two_production_orgs_is_ambiguous(owner, member, salesforce):
    for username in ("other@acme.example", PROD):
        salesforce.add_sandbox(a_production_org(owner, salesforce, username), "dev1")

    response = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert response.refusal == (409, "AMBIGUOUS_SANDBOX")
    assert "ci@acme.example, other@acme.example" in response.json()["message"]
    assert member.post(SANDBOX, DEV1).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_deleted_sandbox_does_not_make_its_name_ambiguous(owner, member, salesforce):
    other = a_production_org(owner, salesforce, "other@acme.example")
    salesforce.add_sandbox(other, "dev1")
    other.processes[-1].status = "Deleted"
    salesforce.add_sandbox(a_production_org(owner, salesforce), "dev1")

    response = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert response.status_code == 201, response
    assert response.json()["productionOrg"]["username"] == PROD


@pytest.mark.django_db(transaction=True)
def test_a_search_ends_at_its_time_limit(owner, member, salesforce, monkeypatch):
    for username in ("slow@acme.example", PROD):
        a_production_org(owner, salesforce, username)
    assert fan_out.TIME_LIMIT_SECONDS == 20
    monkeypatch.setattr(fan_out, "TIME_LIMIT_SECONDS", 1)
    salesforce.__class__, salesforce.may_continue = _Hanging, Event()

    response = member.post(SANDBOX, {"sandboxName": "dev1"})

    salesforce.may_continue.set()
    assert response.refusal == (503, "SEARCH_INCOMPLETE")
    assert "slow@acme.example (UPSTREAM_TIMEOUT)" in response.json()["message"]


@pytest.mark.django_db(transaction=True)
def test_two_users_of_one_production_org_are_not_ambiguous(owner, member, salesforce):
    production = a_production_org(owner, salesforce)
    other = production.add_user("release@acme.example")
    owner.post(REGISTER, {"sfdxAuthUrl": production.auth_url(user=other)})
    salesforce.add_sandbox(production, "dev1", creator=other)

    response = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert response.status_code == 201, response
    assert response.json()["productionOrg"]["username"] == "release@acme.example"


def test_an_unknown_sandbox_is_not_found(member, salesforce, production):
    anywhere = member.post(SANDBOX, {"sandboxName": "nope"})
    there = member.post(SANDBOX, {"sandboxName": "nope", "productionUsername": PROD})

    assert anywhere.refusal == (404, "SANDBOX_NOT_FOUND")
    assert there.refusal == (404, "SANDBOX_NOT_FOUND")
    assert PROD in there.json()["message"]
    assert not OnDemandGrant.objects.exists()
    assert Credential.objects.filter(org=None).count() == 0


def test_the_production_org_must_be_registered_as_one(owner, member, salesforce, production, sandbox):
    unknown = member.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": "unknown@acme.example"})
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    no_production = member.post(SANDBOX, {"sandboxName": "qa", "productionUsername": sandbox.username})

    assert unknown.refusal == (404, "ORG_NOT_FOUND")
    assert no_production.refusal == (400, "NOT_A_PRODUCTION_ORG")


def test_without_any_registered_production_org_the_error_says_that(member, salesforce):
    response = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert response.refusal == (404, "PRODUCTION_ORG_NOT_FOUND")
