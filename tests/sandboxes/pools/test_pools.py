"""/sfp/api/pools/instances: orgs that jobs share, each with one assignment at a time."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from authn.models import AuditEvent
from orgs.salesforce.emulator import Fault
from sandboxes.models import PoolInstance
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import (
    BY_NAME,
    FETCH,
    POOLS,
    PROD,
    REPOSITORY,
    UNASSIGN,
    a_production_org,
    a_scratch_org,
    an_instance,
    works,
)
from tests.support.api_client import Caller
from tests.support.concurrency import run_together

pytestmark = pytest.mark.django_db
POOL = {"repository": REPOSITORY, "poolTag": "features"}
PR1 = POOL | {"assignmentId": "pr-1"}
NEW = POOL | {"name": "dev1", "type": "SANDBOX", "parentUsername": PROD}


def test_the_next_available_instance_is_assigned_with_a_token(application, salesforce, pool, sandboxes):
    response = application.post(FETCH, PR1 | {"assignedToUserEmail": "ada@acme.example", "expirationHours": 2})

    assert response.status_code == 200, response
    content = response.json()
    assert (content["name"], content["status"], content["assignmentId"]) == ("dev1", "ASSIGNED", "pr-1")
    assert content["assignedToUserEmail"] == "ada@acme.example"
    assert content["salesforceOrgId"] == sandboxes[0].org_id
    assert works(salesforce, content["accessToken"])
    row = PoolInstance.objects.get(name="dev1")
    assert row.expires_at is not None
    assert timedelta(hours=1, minutes=59) < row.expires_at - timezone.now() <= timedelta(hours=2)
    assert AuditEvent.objects.filter(action="pool_instance.fetched", target_label="dev1 of acme/app").count() == 1


@pytest.mark.parametrize("by_name", [True, False], ids=["by name", "by auth URL"])
def test_a_registered_sandbox_uses_the_credential_of_the_org(by_name, owner, application, pool, sandboxes):
    if by_name:
        owner.post(BY_NAME, {"sandboxName": "dev1", "productionUsername": PROD})
    else:
        owner.post(REGISTER, {"sfdxAuthUrl": sandboxes[0].auth_url()})

    response = application.post(FETCH, PR1)

    assert (response.status_code, response.json()["salesforceOrgId"]) == (200, sandboxes[0].org_id)


def test_the_same_assignment_gets_the_same_org_again(application, pool):
    names = [application.post(FETCH, PR1).json()["name"] for _ in range(3)]
    other = application.post(FETCH, PR1 | {"assignmentId": "pr-2"}).json()["name"]

    assert names == ["dev1"] * 3
    assert other == "dev2"


def test_an_assignment_belongs_to_one_pool(application, owner, pool, salesforce, production):
    salesforce.add_sandbox(production, "qa")
    an_instance(owner, "qa", poolTag="qa")
    application.post(FETCH, PR1)

    assert application.post(FETCH, PR1 | {"poolTag": "qa"}).refusal == (409, "ASSIGNED_IN_OTHER_POOL")


def test_an_empty_pool_is_an_error(application, pool):
    for number in range(3):
        application.post(FETCH, PR1 | {"assignmentId": f"pr-{number}"})

    assert application.post(FETCH, PR1 | {"assignmentId": "pr-9"}).refusal == (409, "POOL_EMPTY")
    assert application.post(FETCH, PR1 | {"assignmentId": "x", "poolTag": "unknown"}).refusal == (409, "POOL_EMPTY")


def test_provisioning_and_expired_instances_are_not_assigned(application, pool):
    PoolInstance.objects.filter(name="dev1").update(status="PROVISIONING")
    PoolInstance.objects.filter(name="dev2").update(status="EXPIRED")

    assert application.post(FETCH, PR1).json()["name"] == "dev3"


def test_an_assignment_expires(application, pool):
    application.post(FETCH, PR1)
    PoolInstance.objects.filter(name="dev1").update(expires_at=timezone.now() - timedelta(seconds=1))

    again = application.post(FETCH, PR1)

    assert again.json()["name"] == "dev2"
    assert PoolInstance.objects.get(name="dev1").status == "EXPIRED"


def test_a_deleted_org_expires_and_the_next_is_assigned(application, production, pool, sandboxes):
    production.processes[0].status = "Deleted"

    response = application.post(FETCH, PR1)

    assert response.json()["name"] == "dev2"
    assert PoolInstance.objects.get(name="dev1").status == "EXPIRED"


def test_an_instance_without_a_session_goes_to_the_end_of_the_queue(application, pool, sandboxes):
    sandboxes[0].creator = "release@acme.example"

    first, second = application.post(FETCH, PR1), application.post(FETCH, PR1 | {"assignmentId": "pr-2"})

    assert (first.json()["name"], second.json()["name"]) == ("dev2", "dev3")
    assert PoolInstance.objects.get(name="dev1").status == "AVAILABLE"
    back = AuditEvent.objects.filter(action="pool_instance.unassigned", target_label="dev1 of acme/app").latest("pk")
    assert back.details["because"] == "SANDBOX_AUTH_REFUSED"


def test_a_production_org_without_access_does_not_expire_the_pool(application, production, pool):
    production.revoke_all()

    response = application.post(FETCH, PR1)

    assert response.refusal == (409, "CREDENTIAL_EXPIRED")
    assert PoolInstance.objects.filter(status="AVAILABLE", assignment_id="").count() == 3


def test_a_temporary_failure_returns_the_instance_to_the_pool(application, salesforce, pool):
    salesforce.inject(Fault.html_maintenance(), path="/services/data/v67.0/tooling/sandboxAuth")

    response = application.post(FETCH, PR1)

    assert response.refusal == (503, "UPSTREAM_MAINTENANCE")
    assert PoolInstance.objects.filter(status="AVAILABLE").count() == 3


def test_an_existing_assignment_survives_a_failure(application, salesforce, pool):
    application.post(FETCH, PR1)
    salesforce.inject(Fault.html_maintenance(), path="/services/oauth2/token")

    assert application.post(FETCH, PR1).status_code == 503
    assert PoolInstance.objects.get(name="dev1").assignment_id == "pr-1"


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_fifty_concurrent_jobs_share_ten_orgs(owner, application, salesforce):
    production = a_production_org(owner, salesforce)
    for number in range(10):
        salesforce.add_sandbox(production, f"dev{number}")
        an_instance(owner, f"dev{number}")
    jobs = [partial(Caller(application.bearer).post, FETCH, PR1 | {"assignmentId": f"pr-{n}"}) for n in range(50)]

    responses = run_together(jobs)

    given = [response.json()["salesforceOrgId"] for response in responses if response.status_code == 200]
    refused = [response.refusal for response in responses if response.status_code != 200]
    assert len(given) == len(set(given)) == 10
    assert refused == [(409, "POOL_EMPTY")] * 40


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_concurrent_fetches_of_one_assignment_get_one_org(owner, application, salesforce):
    production = a_production_org(owner, salesforce)
    for number in range(10):
        salesforce.add_sandbox(production, f"dev{number}")
        an_instance(owner, f"dev{number}")

    responses = run_together([partial(Caller(application.bearer).post, FETCH, PR1) for _ in range(10)])

    assert {response.status_code for response in responses} == {200}, responses
    assert len({response.json()["name"] for response in responses}) == 1
    assert PoolInstance.objects.filter(status="ASSIGNED").count() == 1


# --- Ending assignments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("back", "status"), [({}, "AVAILABLE"), ({"returnToPool": False}, "EXPIRED")])
def test_an_assignment_is_ended(back, status, application, pool):
    application.post(FETCH, PR1)

    response = application.post(UNASSIGN, {"repository": REPOSITORY, "assignmentId": "pr-1", **back})

    assert (response.status_code, response.json()["status"]) == (200, status)
    assert "assignmentId" not in response.json()
    assert "expiresAt" not in response.json()


def test_an_expired_assignment_is_ended_too(application, pool):
    application.post(FETCH, PR1)
    PoolInstance.objects.filter(status="ASSIGNED").update(expires_at=timezone.now() - timedelta(minutes=1))
    assert [each["status"] for each in application.get(POOLS).json()["instances"]].count("EXPIRED") == 1

    response = application.post(UNASSIGN, {"repository": REPOSITORY, "assignmentId": "pr-1"})

    assert (response.status_code, response.json()["status"]) == (200, "AVAILABLE")


def test_an_unknown_assignment_is_404(application, pool):
    response = application.post(UNASSIGN, {"repository": REPOSITORY, "assignmentId": "pr-9"})

    assert response.refusal == (404, "ASSIGNMENT_NOT_FOUND")


# --- Scratch orgs ----------------------------------------------------------------------------------------


def test_a_scratch_org_of_a_pool_is_reached_through_its_dev_hub(owner, application, salesforce, production):
    scratch = a_scratch_org(salesforce, production)
    an_instance(owner, "feature-1", type="SCRATCH_ORG", username="s1@acme.example")

    response = application.post(FETCH, PR1)

    assert response.json()["salesforceOrgId"] == scratch.org_id
    assert works(salesforce, response.json()["accessToken"])


def test_an_expired_scratch_org_expires_in_the_pool(owner, application, salesforce, production):
    a_scratch_org(salesforce, production)
    production.scratch_record("s1@acme.example").status = "Deleted"
    an_instance(owner, "feature-1", type="SCRATCH_ORG", username="s1@acme.example")

    assert application.post(FETCH, PR1).refusal == (409, "POOL_EMPTY")
    assert PoolInstance.objects.get().status == "EXPIRED"
