"""A registered sandbox whose host does not contain its name: only Salesforce shows which org it is.

Front-door links and pools then use the registered org, with its own credential and access rules.
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
    """Create a sandbox with an instance host, and register it by its auth URL after adding it to a pool."""
    sandbox = salesforce.add_sandbox(production, "dev1", host="cs43.salesforce.com")
    an_instance(owner)
    assert owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()}).status_code == 201
    return sandbox


def test_a_front_door_link_leads_to_the_registered_org(member, sandbox):
    response = member.get(FRONTDOOR, target="dev1", redirect="false")

    assert response.status_code == 200, response
    assert response.json()["username"] == sandbox.users[0].username
    assert not OnDemandGrant.objects.exists()


def test_a_pool_assigns_the_registered_org(application, member, sandbox):
    response = application.post(FETCH, POOL | {"assignmentId": "pr-1"})

    assert response.status_code == 200, response
    assert response.json()["salesforceOrgId"] == sandbox.org_id
    link = member.get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")
    assert link.status_code == 200, link


@pytest.mark.parametrize("query", [{}, {"repository": REPOSITORY}], ids=["by name", "by its pool"])
def test_members_may_not_view_it_if_the_registered_org_is_a_dev_hub(query, owner, member, sandbox):
    owner.post(FETCH, POOL | {"assignmentId": "pr-1"})
    SalesforceOrg.objects.filter(org_id=sandbox.org_id).update(is_dev_hub=True)

    response = member.get(FRONTDOOR, target="dev1", redirect="false", **query)

    assert response.refusal == (403, "FRONTDOOR_NOT_ALLOWED")
    assert (
        AuditEvent.objects.get(code="FRONTDOOR_NOT_ALLOWED", action="request").target_label == sandbox.users[0].username
    )


def test_on_demand_access_stays_refused(member, sandbox, production):
    response = member.post(SANDBOX, {"sandboxName": "dev1"})

    assert response.refusal == (400, "SANDBOX_REGISTERED")
    assert "frontdoor?target=" in response.json()["action"]
