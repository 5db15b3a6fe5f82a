"""Repositories as forges name them: nested, with blanks, without regard to case, with or without `.git`."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from sandboxes.models import PoolInstance
from sandboxes.names import read_repository
from tests.sandboxes.factories import FETCH, FRONTDOOR, POOLS, UNASSIGN, a_scratch_org, an_instance
from tests.support.browser_client import Visitor

pytestmark = pytest.mark.django_db
NESTED = "acme/platform/sales/app"
AZURE = "contoso/My Project/app"
SPELLINGS = [
    (NESTED, ["acme/Platform/Sales/App", "acme/platform/sales/app.git", "ACME/PLATFORM/SALES/APP.GIT"]),
    (AZURE, ["contoso/My%20Project/app", "Contoso/my project/app", "contoso/My%20Project/App.git"]),
]


@pytest.mark.parametrize(("stored", "others"), SPELLINGS, ids=["GitLab", "Azure DevOps"])
def test_every_spelling_of_a_repository_finds_its_instances(
    stored, others, owner, member, application, production, salesforce, each
):
    salesforce.add_sandbox(production, "dev1")
    an_instance(owner, repository=stored)
    for spelling in (stored, *others):
        with each(spelling):
            pool = {"repository": spelling, "poolTag": "features", "assignmentId": "pr-1"}
            assert [one["name"] for one in member.get(POOLS, repository=spelling).json()["instances"]] == ["dev1"]
            fetched = application.post(FETCH, pool)
            assert fetched.status_code == 200, fetched
            assert fetched.json()["repository"] == stored
            opened = application.get(FRONTDOOR, target="dev1", repository=spelling, redirect="false")
            assert opened.status_code == 200, opened
            ended = application.post(UNASSIGN, {"repository": spelling, "assignmentId": "pr-1"})
            assert ended.json()["status"] == "AVAILABLE"
            assert owner.delete(POOLS, repository=spelling, name="dev1").status_code == 200


@pytest.mark.parametrize(("stored", "others"), SPELLINGS, ids=["GitLab", "Azure DevOps"])
def test_an_assignment_gets_its_org_again_under_every_spelling(
    stored, others, owner, application, production, salesforce
):
    for name in ("dev1", "dev2"):
        salesforce.add_sandbox(production, name)
        an_instance(owner, name, repository=stored)
    wanted = {"poolTag": "features", "assignmentId": "pr-1"}

    names = {application.post(FETCH, wanted | {"repository": one}).json()["name"] for one in (stored, *others)}

    assert names == {"dev1"}


def test_one_repository_is_stored_in_one_spelling(owner, production, salesforce):
    for name, repository in (("dev1", "Acme/App"), ("dev2", "acme/app"), ("dev3", "acme/APP.git")):
        salesforce.add_sandbox(production, name)
        an_instance(owner, name, repository=repository)

    assert set(PoolInstance.objects.values_list("repository", flat=True)) == {"Acme/App"}
    again = {
        "repository": "ACME/app",
        "poolTag": "x",
        "name": "DEV1",
        "type": "SANDBOX",
        "parentUsername": "ci@acme.example",
    }
    assert owner.post(POOLS, again).refusal == (400, "POOL_INSTANCE_EXISTS")


def test_a_scratch_pool_is_imported_into_the_repository_that_exists(owner, production, salesforce):
    salesforce.add_sandbox(production, "dev1")
    an_instance(owner, repository=AZURE)
    a_scratch_org(salesforce, production, Pooltag__c="features", Allocation_status__c="Available")

    call_command(
        "import_pool", dev_hub="ci@acme.example", tag="features", repository="Contoso/My%20Project/App.git", verbosity=0
    )

    assert set(PoolInstance.objects.values_list("repository", flat=True)) == {AZURE}


def test_a_continue_link_names_a_repository_in_any_spelling(a_person, owner, production, salesforce):
    salesforce.add_sandbox(production, "dev1")
    an_instance(owner, repository=AZURE)
    visitor = Visitor().sign_in(a_person("mia@acme.example"))

    page = visitor.get(
        "/sfp/api/auth/continue?action=frontDoorUrl&params=targetOrg:dev1,repository:Contoso/My%20Project/app.git"
    )

    assert page.status_code == 200


@pytest.mark.database
def test_the_database_keeps_one_instance_and_one_holder_whatever_the_case():
    shared = {"pool_tag": "x", "type": "SANDBOX", "status": "ASSIGNED"}
    PoolInstance.objects.create(repository="Acme/App", name="dev1", assignment_id="pr-1", **shared)

    for name, assignment in (("DEV1", "pr-2"), ("dev2", "pr-1")):
        with pytest.raises(IntegrityError), transaction.atomic():
            PoolInstance.objects.create(repository="acme/app", name=name, assignment_id=assignment, **shared)


@pytest.mark.parametrize(
    "text",
    ["", "app", "acme/", "/app", "acme//app", "acme/ app", "acme /app", "acme/app ", "acme/.git", "acme/<b>", "a:b/c",
     "a/b,c", "acme/app?x", "acme/%00", "acme/%0Aapp", "acme/app%2F", "https://forge.example/acme/app",
     "a/" * 22 + "b", "a/" + "b" * 254],
)  # fmt: skip
def test_a_text_that_is_no_repository_is_refused(text):
    with pytest.raises(ValueError, match="Not a repository"):
        read_repository(text)


@pytest.mark.parametrize("repository", ["https://github.com/acme/app", "git@github.com:acme/app.git", "acme/größe"])
def test_a_refused_repository_is_answered_with_how_to_write_it(repository, owner):
    response = owner.get(POOLS, repository=repository)

    assert response.refusal == (400, "VALIDATION_FAILED")
    assert "use org/repo" in response.text
    assert "in ASCII and without the address of the forge" in response.text
