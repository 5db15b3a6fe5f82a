"""Auth URLs as people have them, on every door that takes one: the API, the console, a scratch org's record."""

import pytest

from authn.roles import Role
from orgs.models import SalesforceOrg
from sandboxes.models import PoolInstance
from tests.orgs.factories import REGISTER, an_org
from tests.orgs.salesforce.test_auth_url_text import texts_with
from tests.sandboxes.factories import FETCH, PROD, REPOSITORY, SCRATCH, a_production_org, a_scratch_org, an_instance
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
FIELD = "SfdxAuthUrl__c"
ADD_ORG = "/console/orgs/salesforceorg/add/"
ADD_INSTANCE = "/console/sandboxes/poolinstance/add/"
LOGIN_HOST_SAID = "a sandbox or scratch org logs in at test.salesforce.com or at its My Domain."


@pytest.fixture
def console(a_person):
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.fixture
def hub(owner, salesforce):
    return a_production_org(owner, salesforce)


def test_an_org_is_registered_by_any_text_with_its_auth_url(owner, salesforce, each):
    url = an_org(salesforce).auth_url()
    for name, text in texts_with(url).items():
        with each(name):
            response = owner.post(REGISTER, {"sfdxAuthUrl": text})

            assert response.status_code == 201, response


def test_the_console_registers_by_any_text_with_an_auth_url(console, salesforce, each):
    url = an_org(salesforce).auth_url()
    for name, text in texts_with(url).items():
        with each(name):
            console.post(ADD_ORG, {"auth_url": text})

            assert SalesforceOrg.objects.exists()


def test_an_instance_is_added_by_any_text_with_its_auth_url(owner, salesforce, hub, each):
    url = salesforce.add_sandbox(hub, "dev1").auth_url()
    for name, text in texts_with(url).items():
        with each(name):
            an_instance(owner, sfdxAuthUrl=text)


def test_the_console_adds_an_instance_by_a_text_with_its_auth_url(console, salesforce, hub):
    url = salesforce.add_sandbox(hub, "dev1").auth_url()
    fields = {"repository": REPOSITORY, "pool_tag": "features", "name": "dev1", "type": "SANDBOX"}

    console.post(ADD_INSTANCE, fields | {"status": "AVAILABLE", "auth_url": f"SFDX_AUTH_URL='{url}/'\n"})

    assert PoolInstance.objects.get().credential is not None


def test_a_slash_after_the_host_in_a_record_is_dropped(owner, application, salesforce, hub):
    a_scratch_org(salesforce, hub)
    record = hub.scratch_record("s1@acme.example")
    record.fields[FIELD] = f" {record.fields[FIELD]}/\n"
    an_instance(owner, "s1", type="SCRATCH_ORG", username="s1@acme.example")

    fetched = application.post(FETCH, {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"})
    opened = application.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example", "devhubUsername": PROD})

    assert fetched.status_code == 200, fetched
    assert opened.status_code == 201, opened


def test_the_mistake_in_a_record_is_named(application, salesforce, hub):
    a_scratch_org(salesforce, hub)
    record = hub.scratch_record("s1@acme.example")
    record.fields[FIELD] = "force://PlatformCLI::***@s1-dev-ed.scratch.my.salesforce.com"

    response = application.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example", "devhubUsername": PROD})

    assert response.refusal == (400, "SFDX_AUTH_URL_MISSING")
    assert f"{FIELD} is not an auth URL. The auth URL is masked, as CI systems" in response.json()["message"]


@pytest.mark.parametrize(
    ("text", "said", "action"),
    [
        ("$SFDX_AUTH_URL", "name of a variable", "single quotes"),
        ("force://PlatformCLI::tok@https://acme.my.salesforce.com", "http:// before its host", "Remove https://"),
        ("nothing of the kind", "not an auth URL", "sf org auth show-sfdx-auth-url"),
    ],
)
def test_api_and_console_name_the_same_mistake_and_what_to_do(text, said, action, owner, console, salesforce):
    response = owner.post(REGISTER, {"sfdxAuthUrl": text})
    page = text_of(console.post(ADD_ORG, {"auth_url": text}))

    assert response.refusal == (400, "INVALID_SFDX_AUTH_URL")
    assert said in response.json()["message"]
    assert action in response.json()["action"]
    assert response.json()["message"] in page
    assert action in page
    assert not salesforce.calls


def test_a_token_of_a_sandbox_at_the_host_of_production_orgs_is_explained(owner, application, salesforce, hub):
    sandbox = salesforce.add_sandbox(hub, "dev1")
    url = sandbox.auth_url().partition("@")[0] + "@login.salesforce.com"
    a_scratch_org(salesforce, hub)
    record = hub.scratch_record("s1@acme.example")
    record.fields[FIELD] = record.fields[FIELD].partition("@")[0] + "@login.salesforce.com"

    registering = owner.post(REGISTER, {"sfdxAuthUrl": url})
    by_record = application.post(SCRATCH, {"scratchOrgUsername": "s1@acme.example", "devhubUsername": PROD})

    assert registering.refusal == (400, "CREDENTIAL_EXPIRED")
    assert registering.json()["message"].endswith(LOGIN_HOST_SAID)
    assert by_record.refusal[1] == "CREDENTIAL_EXPIRED"
    assert LOGIN_HOST_SAID in by_record.json()["message"]


def test_a_refused_token_at_a_my_domain_is_not_said_to_be_at_the_wrong_host(owner, salesforce):
    response = owner.post(REGISTER, {"sfdxAuthUrl": an_org(salesforce).auth_url().replace("5Aep", "5Bep")})

    assert response.refusal == (400, "CREDENTIAL_EXPIRED")
    assert "test.salesforce.com" not in response.json()["message"]
