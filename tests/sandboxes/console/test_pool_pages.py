"""The console's pages for pools: adding, showing and removing instances, without secrets."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authn.models import AuditEvent
from authn.roles import Role
from orgs.credentials.models import Credential
from sandboxes.models import PoolInstance
from tests.orgs.factories import a_registered_org
from tests.sandboxes.factories import FETCH, PROD, REPOSITORY, an_instance
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
POOLS = "/console/sandboxes/poolinstance/"
ADD = f"{POOLS}add/"
GOOD = {"repository": REPOSITORY, "pool_tag": "features", "name": "dev1", "type": "SANDBOX", "status": "AVAILABLE"}
EVIL = "<img src=x>"


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.mark.database
def test_an_instance_is_added(console, production):
    response = console.post(ADD, GOOD | {"parent_username": PROD})

    instance = PoolInstance.objects.get()
    assert response["Location"] == f"{POOLS}{instance.pk}/change/"
    assert instance.parent is not None
    assert (instance.name, instance.status, instance.parent.username) == ("dev1", "AVAILABLE", PROD)
    assert AuditEvent.objects.get(action="pool_instance.added").actor_name == "olga@acme.example"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({}, "parent_username", "The instance has neither a credential nor a parent org."),
        ({"repository": "no repository"}, "repository", "org/repo"),
        ({"pool_tag": "two words"}, "pool_tag", "Not a valid pool tag"),
        ({"name": "a b"}, "name", "spaces, slashes"),
        ({"name": "dots.are.no.sandbox"}, "name", "Not a valid sandbox name"),
        ({"type": "OTHER"}, "type", "not one of the available choices"),
        ({"status": "ASSIGNED"}, "status", "not one of the available choices"),
        ({"auth_url": "nothing of the kind"}, "auth_url", "not an auth URL"),
        ({"auth_url": "{"}, "auth_url", "not valid JSON"),
        ({"parent_username": "unknown@acme.example"}, "parent_username", "No registered org is named"),
    ],
)
def test_an_error_is_reported_at_its_field(fields, field, message, console, production):
    response = console.post(ADD, GOOD | fields)

    assert response.status_code == 200
    assert message in text_of(response).split(f'id="id_{field}_error"')[1].split("</ul>")[0]
    assert not PoolInstance.objects.exists()


def test_a_parent_that_is_not_a_dev_hub_is_refused_at_its_field(console, owner, salesforce):
    a_registered_org(owner, salesforce, "plain@acme.example")
    scratch = GOOD | {"type": "SCRATCH_ORG", "name": "f1", "username": "s1@acme.example"}

    response = console.post(ADD, scratch | {"parent_username": "plain@acme.example"})

    expected = text_of(response).split('id="id_parent_username_error"')[1].split("</ul>")[0]
    assert "plain@acme.example is not registered as a DevHub. Select DevHub on the page of that org" in expected


@pytest.mark.database
def test_an_overdue_assignment_is_shown_as_expired(console, owner, application, production, salesforce):
    salesforce.add_sandbox(production, "dev1")
    an_instance(owner)
    application.post(FETCH, {"repository": "acme/app", "poolTag": "features", "assignmentId": "pr-1"})
    PoolInstance.objects.update(expires_at=timezone.now() - timedelta(minutes=1))

    assert "1 expired" in text_of(console.get("/console/"))
    assert PoolInstance.objects.get().status == "EXPIRED"


def test_an_instance_with_an_expired_credential_needs_attention(console, owner, application, salesforce, production):
    sandbox = salesforce.add_sandbox(production, "dev1")
    an_instance(owner, sfdxAuthUrl=sandbox.auth_url())
    assert "All credentials are healthy" in text_of(console.get("/console/"))
    sandbox.revoke_all()
    application.post(FETCH, {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"})

    front, page = (text_of(console.get(at)) for at in ("/console/", f"{POOLS}{PoolInstance.objects.get().pk}/change/"))

    assert "All credentials are healthy" not in front
    assert "dev1 of acme/app" in front
    assert "Remove it from its pool, log in to it again with <code>sf org login web</code>" in front
    assert "Own credential" in page
    assert ">Expired</span>" in page


@pytest.mark.database
@pytest.mark.parametrize(("status", "expected"), [("PROVISIONING", "AVAILABLE"), ("EXPIRED", "AVAILABLE")])
def test_an_instance_is_made_available(status, expected, console, owner, production):
    an_instance(owner)
    PoolInstance.objects.update(status=status)
    page = f"{POOLS}{PoolInstance.objects.get().pk}/"
    assert "Make available" in text_of(console.get(f"{page}change/"))

    console.post(f"{page}make-available/", form_at=f"{page}change/")

    assert PoolInstance.objects.get().status == expected
    assert (
        AuditEvent.objects.filter(action="pool_instance.made_available", target_label="dev1 of acme/app").count() == 1
    )
    assert "Make available" not in text_of(console.get(f"{page}change/"))


@pytest.mark.database
def test_an_assigned_instance_is_not_made_available(console, owner, application, salesforce, production):
    salesforce.add_sandbox(production, "dev1")
    an_instance(owner)
    application.post(FETCH, {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"})
    page = f"{POOLS}{PoolInstance.objects.get().pk}/"

    console.post(f"{page}make-available/", form_at=f"{page}change/")

    assert PoolInstance.objects.get().status == "ASSIGNED"
    assert "dev1 is assigned and was not changed." in text_of(console.get(f"{page}change/"))


def test_the_page_of_an_instance_with_a_credential_has_no_secret(console, production, salesforce):
    url = salesforce.add_sandbox(production, "dev1").auth_url()
    pages = [text_of(console.post(ADD, GOOD | {"auth_url": url, "name": "a b"}))]

    console.post(ADD, GOOD | {"auth_url": url})

    instance = PoolInstance.objects.get()
    assert instance.credential is not None
    pages += [text_of(console.get(path)) for path in (POOLS, f"{POOLS}{instance.pk}/change/", "/console/")]
    secrets = {grant.newest for grant in salesforce.grants} | set(salesforce.sessions)
    assert not [secret for secret in secrets for page in pages if secret in page]


@pytest.mark.database
def test_the_removal_of_an_instance_is_confirmed_first(console, owner, production):
    an_instance(owner)
    instance = PoolInstance.objects.get()
    path = f"{POOLS}{instance.pk}/delete/"
    assert "Remove dev1?" in text_of(console.get(path))

    console.post(path)

    assert not PoolInstance.objects.exists()
    assert AuditEvent.objects.get(action="pool_instance.removed").actor_name == "olga@acme.example"


@pytest.mark.database
def test_an_instance_that_was_assigned_meanwhile_is_not_removed(console, owner, application, salesforce, production):
    salesforce.add_sandbox(production, "dev1")
    an_instance(owner)
    path = f"{POOLS}{PoolInstance.objects.get().pk}/delete/"
    stale = console.get(path)
    application.post(FETCH, {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"})

    refused = console.send(path, stale)

    assert "Its assignment changed after this page was shown, so nothing was removed." in text_of(refused)
    assert "It is currently assigned to pr-1." in text_of(refused)
    assert PoolInstance.objects.exists()

    console.send(path, refused)
    assert not PoolInstance.objects.exists()


@pytest.mark.database
def test_the_assignment_of_each_instance_is_shown(console, owner, application, salesforce, production):
    salesforce.add_sandbox(production, "dev1")
    an_instance(owner)
    wanted = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-7"}
    application.post(FETCH, wanted | {"assignedToUserEmail": "ada@acme.example"})
    instance = PoolInstance.objects.get()

    assert "ada@acme.example" in text_of(console.get(POOLS, status__exact="ASSIGNED"))
    assert "pr-7" in text_of(console.get(f"{POOLS}{instance.pk}/change/"))
    assert "It is currently assigned to ada@acme.example." in text_of(console.get(f"{POOLS}{instance.pk}/delete/"))
    assert "ada@acme.example" not in text_of(console.get(POOLS, status__exact="AVAILABLE"))


@pytest.mark.database
def test_the_dashboard_shows_the_usage_of_each_pool(console, owner, production):
    for name in ("dev1", "dev2", "dev3"):
        an_instance(owner, name)
    PoolInstance.objects.filter(name="dev3").update(status="EXPIRED")

    page = text_of(console.get("/console/"))

    assert "2 available" in page
    assert "1 expired" in page
    assert f"{POOLS}?repository=acme%2Fapp&amp;pool_tag=features" in page
    assert console.get(f"{POOLS}?repository=acme%2Fapp&pool_tag=features").status_code == 200


@pytest.mark.database
def test_the_deletion_of_an_org_lists_its_pool_instances(console, owner, production):
    an_instance(owner)
    org = PoolInstance.objects.get().parent
    assert org is not None
    path = f"/console/orgs/salesforceorg/{org.pk}/delete/"

    assert "dev1 of acme/app" in text_of(console.get(path))
    assert "Tick this box to delete the second list as well" in text_of(console.post(path))
    console.post(path, {"cascade": "on"})

    assert not PoolInstance.objects.exists()
    assert not Credential.objects.filter(org__isnull=False).exists()


def test_markup_is_escaped(console, owner, production):
    an_instance(owner)
    instance = PoolInstance.objects.get()
    PoolInstance.objects.update(
        name=EVIL, pool_tag=EVIL, repository=EVIL, assignment_id=EVIL, assigned_to_email=EVIL, username=EVIL
    )

    for path in (POOLS, f"{POOLS}{instance.pk}/change/", f"{POOLS}{instance.pk}/delete/", "/console/"):
        assert EVIL not in text_of(console.get(path))
