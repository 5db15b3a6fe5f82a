"""A registered sandbox whose host does not tell its name: only Salesforce's answer shows which org it is.

Whoever asks for a front door or a pool instance gets the registered org, by its own key and rules.
"""

import pytest

from authn.models import AuditEvent
from orgs.models import SalesforceOrg
from sandboxes.models import OnDemandGrant
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import FETCH, FRONTDOOR, REPOSITORY, SANDBOX, an_instance

pytestmark = pytest.mark.django_db
POOL = {"repository": REPOSITORY, "poolTag": "features"}


@pytest.fixture
def sandbox(owner, salesforce, production):
    """A sandbox under an instance host, registered by its auth URL after it came into a pool."""
    sandbox = salesforce.add_sandbox(production, "dev1", host="cs43.salesforce.com")
    an_instance(owner)
    assert owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()}).status_code == 201
    return sandbox


def test_a_front_door_opens_the_registered_org(member, sandbox):
    answer = member.get(FRONTDOOR, target="dev1", redirect="false")

    assert answer.status_code == 200, answer
    assert answer.json()["username"] == sandbox.users[0].username
    assert not OnDemandGrant.objects.exists()


def test_a_pool_gives_the_registered_org(application, member, sandbox):
    answer = application.post(FETCH, POOL | {"assignmentId": "pr-1"})

    assert answer.status_code == 200, answer
    assert answer.json()["salesforceOrgId"] == sandbox.org_id
    opened = member.get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")
    assert opened.status_code == 200, opened


@pytest.mark.parametrize("query", [{}, {"repository": REPOSITORY}], ids=["by name", "by its pool"])
def test_members_stay_out_where_the_registered_org_is_a_dev_hub(query, owner, member, sandbox):
    owner.post(FETCH, POOL | {"assignmentId": "pr-1"})
    SalesforceOrg.objects.filter(org_id=sandbox.org_id).update(is_dev_hub=True)

    answer = member.get(FRONTDOOR, target="dev1", redirect="false", **query)

    assert (answer.status_code, answer.json()["code"]) == (403, "FRONTDOOR_NOT_ALLOWED")
    assert (
        AuditEvent.objects.get(code="FRONTDOOR_NOT_ALLOWED", action="request").org_username == sandbox.users[0].username
    )


def test_its_keys_on_demand_stay_refused(member, sandbox, production):
    answer = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert (answer.status_code, answer.json()["code"]) == (400, "SANDBOX_REGISTERED")
    assert "frontdoor?target=" in answer.json()["action"]
