"""Pool instances are added, listed, removed, imported, and deleted with their production org."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from sandboxes.models import PoolInstance
from tests.orgs.factories import ACCESS_TOKEN, ORG, REGISTER, an_org
from tests.sandboxes.factories import FETCH, POOLS, PROD, REPOSITORY, a_scratch_org, an_instance, works
from tests.support.refusing_table import refusing

pytestmark = pytest.mark.django_db
POOL = {"repository": REPOSITORY, "poolTag": "features"}
PR1 = POOL | {"assignmentId": "pr-1"}
NEW = POOL | {"name": "dev1", "type": "SANDBOX", "parentUsername": PROD}


def test_an_instance_is_added_without_a_session_of_its_org(owner, salesforce, sandbox):
    instance = an_instance(owner)

    assert {name: instance[name] for name in ("name", "type", "status", "parentUsername")} == {
        "name": "dev1",
        "type": "SANDBOX",
        "status": "AVAILABLE",
        "parentUsername": PROD,
    }
    assert "username" not in instance
    assert not salesforce.calls_to(host=sandbox.host)


def test_an_instance_with_an_auth_url_is_validated(owner, salesforce, sandboxes):
    content = {name: value for name, value in NEW.items() if name != "parentUsername"}

    response = owner.post(POOLS, content | {"sfdxAuthUrl": sandboxes[0].auth_url()})

    assert response.status_code == 201, response
    assert response.json()["username"] == "ci@acme.example.dev1"
    assert response.json()["salesforceOrgId"] == sandboxes[0].org_id
    assert "sfdxAuthUrl" not in response.json()
    assert works(salesforce, owner.post(FETCH, PR1).json()["accessToken"])


def test_a_registered_org_becomes_an_instance_by_its_username(owner, salesforce, sandboxes):
    owner.post(REGISTER, {"sfdxAuthUrl": sandboxes[0].auth_url()})
    content = {name: value for name, value in NEW.items() if name != "parentUsername"}

    response = owner.post(POOLS, content | {"username": "ci@acme.example.dev1"})

    assert response.json()["salesforceOrgId"] == sandboxes[0].org_id
    assert works(salesforce, owner.post(FETCH, PR1).json()["accessToken"])


def test_the_credential_of_a_registered_org_stays_with_the_org(owner, salesforce, sandboxes):
    url = sandboxes[0].auth_url()
    owner.post(REGISTER, {"sfdxAuthUrl": url})

    owner.post(POOLS, NEW | {"sfdxAuthUrl": url})

    assert PoolInstance.objects.get().credential is None
    assert owner.post(FETCH, PR1).status_code == 200
    assert owner.post(ACCESS_TOKEN, username="dev1").status_code == 200


def test_registering_an_org_takes_the_credential_of_its_instance(owner, salesforce, sandboxes):
    url = sandboxes[0].auth_url()
    owner.post(POOLS, NEW | {"sfdxAuthUrl": url})

    owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert PoolInstance.objects.get().credential is None
    assert SalesforceOrg.objects.get(username="ci@acme.example.dev1").credential is not None
    assert owner.post(FETCH, PR1).status_code == 200


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "dev 1"}, (400, "VALIDATION_FAILED")),
        ({"name": "x' OR 1=1"}, (400, "VALIDATION_FAILED")),
        ({"type": "PRODUCTION"}, (400, "VALIDATION_FAILED")),
        ({"status": "ASSIGNED"}, (400, "VALIDATION_FAILED")),
        ({"repository": "no-slash"}, (400, "VALIDATION_FAILED")),
        ({"poolTag": "a b"}, (400, "VALIDATION_FAILED")),
        ({"poolTag": "a\nb"}, (400, "VALIDATION_FAILED")),
        ({"parentUsername": "unknown@acme.example"}, (404, "ORG_NOT_FOUND")),
        ({"sfdxAuthUrl": "force://a:b:c@evil.example"}, (400, "INVALID_SFDX_AUTH_URL")),
        ({"type": "SCRATCH_ORG"}, (400, "USERNAME_NEEDED")),
    ],
)
def test_an_instance_without_access_to_its_org_is_refused(change, expected, owner, salesforce, production):
    response = owner.post(POOLS, NEW | change)

    assert response.refusal == expected, response
    assert not PoolInstance.objects.exists()
    assert not salesforce.calls


def test_an_instance_without_parent_and_auth_url_is_refused(owner, production):
    response = owner.post(POOLS, {name: value for name, value in NEW.items() if name != "parentUsername"})

    assert response.refusal == (400, "POOL_INSTANCE_WITHOUT_KEY")


def test_a_production_org_cannot_be_an_instance(owner, salesforce, production):
    by_url = owner.post(POOLS, NEW | {"sfdxAuthUrl": an_org(salesforce, "other@acme.example").auth_url()})
    by_name = owner.post(POOLS, NEW | {"username": PROD})

    assert by_url.refusal == by_name.refusal == (400, "WRONG_KIND_OF_ORG")
    assert not PoolInstance.objects.exists()
    assert Credential.objects.count() == 1


def test_a_refused_auth_url_is_an_error(owner, salesforce, sandboxes):
    url = sandboxes[0].auth_url()
    sandboxes[0].revoke_all()

    response = owner.post(POOLS, NEW | {"sfdxAuthUrl": url})

    assert response.refusal == (400, "CREDENTIAL_EXPIRED")


@pytest.mark.parametrize("change", [{}, {"name": "DEV1"}, {"repository": "acme/other"}])
def test_an_org_is_in_one_pool_only(change, owner, production):
    an_instance(owner)

    assert owner.post(POOLS, NEW | change).refusal == (400, "POOL_INSTANCE_EXISTS")


def test_instances_are_listed_and_filtered(member, owner, pool, salesforce, production):
    an_instance(owner, "qa", poolTag="qa", repository="acme/other", status="PROVISIONING")
    owner.post(FETCH, PR1)

    def names(**query):
        return [instance["name"] for instance in member.get(POOLS, **query).json()["instances"]]

    assert names() == ["dev1", "dev2", "dev3", "qa"]
    assert names(repository=REPOSITORY, status="AVAILABLE") == ["dev2", "dev3"]
    assert names(tag="features", status="ASSIGNED") == ["dev1"]
    assert names(type="SCRATCH_ORG") == []
    assert names(repository="acme/other") == ["qa"]
    assert member.get(POOLS, status="LOST").status_code == 400


def test_an_instance_is_removed_with_its_credential(owner, sandboxes):
    owner.post(POOLS, NEW | {"sfdxAuthUrl": sandboxes[0].auth_url()})

    assert owner.delete(POOLS, repository=REPOSITORY, name="DEV1").status_code == 200
    assert Credential.objects.count() == 1
    assert owner.delete(POOLS, repository=REPOSITORY, name="dev1").refusal == (404, "POOL_INSTANCE_NOT_FOUND")


# --- A scratch pool of a DevHub ----------------------------------------------------------------------


@pytest.fixture
def scratch_pool(salesforce, production):
    for number, allocation in enumerate(["Available", "In Progress", "Assigned", "Return", None]):
        a_scratch_org(
            salesforce,
            production,
            f"s{number}@acme.example",
            Pooltag__c="features" if number < 4 else "other",
            Allocation_status__c=allocation,
        )


def _import(**options):
    out = StringIO()
    call_command("import_pool", **{"dev_hub": PROD, "tag": "features", "repository": REPOSITORY, **options}, stdout=out)
    return out.getvalue()


def test_a_pool_is_imported_from_a_dev_hub(application, salesforce, scratch_pool):
    first, second = _import(), _import()

    assert first.startswith("3 added")
    assert second.startswith("0 added")
    found = set(PoolInstance.objects.values_list("username", "status"))
    assert found == {
        ("s0@acme.example", "AVAILABLE"),
        ("s1@acme.example", "PROVISIONING"),
        ("s3@acme.example", "AVAILABLE"),
    }
    assert [call.literals for call in salesforce.calls if call.path.endswith("/query")] == [1, 1]
    assert works(salesforce, application.post(FETCH, PR1).json()["accessToken"])


def test_a_later_import_makes_provisioned_orgs_available(production, scratch_pool):
    _import()
    production.scratch_record("s1@acme.example").fields["Allocation_status__c"] = "Available"

    again = _import()

    assert again == "0 added to the pool 'features' of acme/app, 1 made available, 3 skipped.\n"
    assert PoolInstance.objects.get(username="s1@acme.example").status == "AVAILABLE"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dev_hub": "unknown@acme.example"}, "No registered org is named"),
        ({"repository": "x"}, "org/repo"),
    ],
)
def test_a_failed_import_reports_the_reason(options, message, scratch_pool):
    with pytest.raises(CommandError, match=message):
        _import(**options)


# --- Deletion of the production org -----------------------------------------------------------------------


def test_a_production_org_with_instances_is_deleted_only_with_cascade(owner, pool):
    refused = owner.delete(ORG, username=PROD)
    agreed = owner.delete(ORG, username=PROD, cascade="true")

    assert refused.refusal == (409, "HAS_CHILDREN")
    assert "dev1 of acme/app" in refused.json()["message"]
    assert agreed.status_code == 200, agreed
    assert not PoolInstance.objects.exists()
    assert not SalesforceOrg.objects.exists()


def test_on_demand_grants_are_deleted_with_their_production_org(owner, application, pool, salesforce, sandboxes):
    application.post(FETCH, PR1)
    grants = [grant for grant in salesforce.grants if grant.user.org is sandboxes[0] and grant.alive]

    response = owner.delete(ORG, username=PROD, cascade="true", revoke="true")

    assert response.status_code == 200, response
    assert not Credential.objects.exists()
    assert not any(grant.alive for grant in grants)


def test_the_refresh_lock_is_released_after_any_failed_removal(owner, sandboxes):
    content = {name: value for name, value in NEW.items() if name != "parentUsername"}
    owner.post(POOLS, content | {"sfdxAuthUrl": sandboxes[0].auth_url()})

    with refusing(PoolInstance, "DELETE"):
        response = owner.delete(POOLS, repository=REPOSITORY, name="dev1")

    assert response.refusal == (500, "INTERNAL_ERROR")
    credential = PoolInstance.objects.get().credential
    assert credential is not None
    assert credential.locked_until is None
