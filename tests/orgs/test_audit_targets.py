"""Each audit row of an org names it as the target: kind, id and label."""

import pytest

from authn.models import AuditEvent
from orgs.models import SalesforceOrg
from tests.orgs.factories import ACCESS_TOKEN, ORG, TEST_CONNECTION

pytestmark = pytest.mark.django_db
HUB = "hub@acme.example"


def _targets(**conditions) -> set[tuple[str, str, str]]:
    return set(AuditEvent.objects.filter(**conditions).values_list("target_kind", "target_id", "target_label"))


@pytest.fixture
def hub_target(hub) -> tuple[str, str, str]:
    return "org", str(SalesforceOrg.objects.get().pk), HUB


@pytest.mark.database
def test_every_row_about_a_registered_org_names_it(owner, hub_target):
    AuditEvent.objects.all().delete()
    owner.post(ACCESS_TOKEN, username=HUB)
    owner.post(TEST_CONNECTION, username=HUB)
    owner.patch(ORG, {"metadata": {"team": "core"}}, username=HUB)
    owner.delete(ORG, username=HUB)

    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"access_token.handed_out", "org.connection_tested", "org.changed", "org.deleted"} <= actions
    assert _targets() == {hub_target}


def test_a_registration_names_the_stored_org(hub_target):
    assert _targets(action="org.registered") == {hub_target}


def test_a_refused_request_names_the_org_of_its_query(member):
    member.post(ACCESS_TOKEN, username=HUB)

    assert _targets(action="request") == {("org", "", HUB)}


def test_a_refused_list_has_no_target(member):
    member.get("/sfp/api/application-tokens")

    assert _targets(action="request") == {("", "", "")}
