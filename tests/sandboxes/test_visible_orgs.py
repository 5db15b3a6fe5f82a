"""The start page lists orgs by role and status, and none that a link would be refused for."""

import pytest
from django.test import RequestFactory

from authn.principals import principal_for
from authn.roles import Role
from orgs.credentials.errors import OrgError
from orgs.models import SalesforceOrg
from sandboxes.frontdoor import FrontdoorRequest, resolve
from sandboxes.home.visible_orgs import instances_for, orgs_for
from sandboxes.models import PoolInstance
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import PROD, REPOSITORY, an_instance

pytestmark = pytest.mark.django_db
STATUSES = list(PoolInstance.Status)


@pytest.fixture
def instances(owner, salesforce, production):
    """Add one instance in each status."""
    for status in STATUSES:
        salesforce.add_sandbox(production, f"{status}1".lower())
        an_instance(owner, f"{status}1".lower())
        PoolInstance.objects.filter(name__startswith=status.lower()).update(
            status=status, assignment_id="pr-1" if status == "ASSIGNED" else ""
        )


@pytest.mark.parametrize(
    ("role", "shown"),
    [(Role.MEMBER, {"assigned1"}), (Role.OWNER, {"assigned1", "available1"})],
    ids=["member", "owner"],
)
def test_instances_are_listed_by_role_and_status(role, shown, instances, a_person):
    person = a_person("pia@acme.example", role)

    assert {each.name for each in instances_for(person, "").shown} == shown


@pytest.mark.parametrize("role", [Role.MEMBER, Role.OWNER])
def test_the_listed_orgs_are_those_that_links_can_be_created_to(role, instances, a_person):
    person = a_person("pia@acme.example", role)
    allowed = set()
    for instance in PoolInstance.objects.all():
        try:
            resolve(
                FrontdoorRequest(instance.name, repository=REPOSITORY),
                by=principal_for(person, RequestFactory().get("/")),
            )
            allowed.add(instance.name)
        except OrgError:
            continue

    assert {each.name for each in instances_for(person, "").shown} == allowed


@pytest.mark.parametrize("let_in", [False, True])
def test_production_orgs_are_listed_for_users_who_may_view_them(let_in, owner, salesforce, production, a_person):
    sandbox = salesforce.add_sandbox(production, "qa")
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    SalesforceOrg.objects.filter(username=PROD).update(member_frontdoor=let_in)
    member, boss = a_person("mia@acme.example"), a_person("olga@acme.example", Role.OWNER)

    assert {each.name for each in orgs_for(member, "").shown} == {f"{PROD}.qa"} | ({PROD} if let_in else set())
    assert {each.name for each in orgs_for(boss, "").shown} == {f"{PROD}.qa", PROD}
