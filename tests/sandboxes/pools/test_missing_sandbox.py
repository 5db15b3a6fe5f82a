"""A pool warns of a sandbox that its parent does not list, and adds it all the same."""

import pytest

from authn.roles import Role
from orgs.credentials.models import Credential
from orgs.salesforce.emulator import Fault
from sandboxes.models import PoolInstance
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import FETCH, POOLS, PROD, REPOSITORY
from tests.sandboxes.watched_calls import watch
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
NEW = {"repository": REPOSITORY, "poolTag": "features", "name": "dev9", "type": "SANDBOX", "parentUsername": PROD}
JOB = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"}
ADD = "/console/sandboxes/poolinstance/add/"
FORM = {
    "repository": REPOSITORY,
    "pool_tag": "features",
    "name": "dev9",
    "type": "SANDBOX",
    "status": "AVAILABLE",
    "parent_username": PROD,
}
WARNING = f"{PROD} lists no sandbox named dev9. Jobs that fetch it will fail until it exists."
QUERY = "/services/data/v67.0/tooling/query"


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


def test_a_sandbox_that_its_parent_does_not_list_is_added_with_a_warning(owner, production):
    response = owner.post(POOLS, NEW)

    assert response.status_code == 201, response
    assert response.json()["warnings"] == [
        {
            "code": "SANDBOX_NOT_FOUND",
            "message": WARNING,
            "action": "Check the name in the production org, under Setup > Sandboxes.",
        }
    ]
    assert PoolInstance.objects.get().status == "AVAILABLE"


def test_the_console_warns_of_a_sandbox_that_its_parent_does_not_list(console, production):
    response = console.post(ADD, FORM)

    page = text_of(console.get(response["Location"]))
    assert "dev9 was added to the pool features." in page
    assert f'<li class="warning">{WARNING}</li>' in page


def test_a_job_that_fetches_a_sandbox_with_the_warning_fails(owner, application, production):
    assert "warnings" in owner.post(POOLS, NEW).json()

    assert application.post(FETCH, JOB).refusal == (409, "POOL_EMPTY")


def test_a_job_gets_a_sandbox_with_the_warning_once_it_exists(owner, application, salesforce, production):
    assert "warnings" in owner.post(POOLS, NEW).json()
    salesforce.add_sandbox(production, "dev9")

    assert application.post(FETCH, JOB).status_code == 200


def test_a_deleted_sandbox_gets_the_warning(owner, salesforce, production):
    salesforce.add_sandbox(production, "dev9")
    production.processes[-1].status = "Deleted"

    assert [each["code"] for each in owner.post(POOLS, NEW).json()["warnings"]] == ["SANDBOX_NOT_FOUND"]


def test_a_sandbox_that_its_parent_lists_gets_no_warning(owner, console, salesforce, production):
    salesforce.add_sandbox(production, "dev9")
    salesforce.add_sandbox(production, "dev8")

    by_api = owner.post(POOLS, NEW)
    by_page = console.get(console.post(ADD, FORM | {"name": "dev8"})["Location"])

    assert len(salesforce.calls_to(path=QUERY)) == 2
    assert "warnings" not in by_api.json()
    assert 'class="warning"' not in text_of(by_page)


@pytest.mark.parametrize(
    "fault",
    [Fault.html_maintenance(), Fault.reset(), Fault.rest(403, "REQUEST_LIMIT_EXCEEDED"), Fault.body(b"<html>")],
    ids=["maintenance", "reset", "limit", "unreadable"],
)
def test_without_an_answer_of_salesforce_there_is_no_warning_and_no_failure(fault, owner, salesforce, production):
    salesforce.inject(fault, path=QUERY, times=None)

    response = owner.post(POOLS, NEW)

    assert response.status_code == 201, response
    assert salesforce.calls_to(path=QUERY)
    assert "warnings" not in response.json()
    assert PoolInstance.objects.get().name == "dev9"


def test_a_parent_whose_credential_has_expired_is_no_failure(owner, salesforce, production):
    production.revoke_all()
    Credential.objects.update(sealed_session=None)

    response = owner.post(POOLS, NEW)

    assert Credential.objects.get().health == "expired"
    assert response.status_code == 201, response
    assert "warnings" not in response.json()


def test_the_parent_is_asked_once_and_only_for_sandboxes_that_jobs_can_fetch_through_it(
    owner, salesforce, production, sandbox
):
    owner.post(POOLS, NEW)
    asked = len(salesforce.calls_to(path=QUERY))
    owner.post(POOLS, NEW | {"name": "dev8", "status": "PROVISIONING"})
    owner.post(POOLS, NEW | {"name": "s1", "type": "SCRATCH_ORG", "username": "s1@acme.example"})
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    owner.post(POOLS, NEW | {"name": "dev1"})

    assert PoolInstance.objects.count() == 4
    assert asked == len(salesforce.calls_to(path=QUERY)) == 1


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_instance_is_stored_before_its_parent_is_asked_without_a_transaction(owner, salesforce, production):
    calls = watch(salesforce, also=PoolInstance.objects.count)

    owner.post(POOLS, NEW)

    assert [call.path for call in calls][-1] == QUERY
    assert calls.in_transaction == []
    assert set(calls.seen) == {1}
