"""Orgs of the US government and of China: registered, reached on demand and opened like any other."""

import pytest

from orgs.models import SalesforceOrg
from orgs.org_sessions import parent_of
from tests.orgs.factories import REGISTER, an_org, register
from tests.sandboxes.factories import BY_NAME, FRONTDOOR, SANDBOX, a_production_org

pytestmark = pytest.mark.django_db
DOMAINS = ("salesforce.com", "salesforce.mil", "sfcrmproducts.cn")


@pytest.fixture
def regions(owner, salesforce):
    """Three customers called acme, one in each region, each with a sandbox dev1. Returns username by domain."""
    names = {}
    for number, domain in enumerate(DOMAINS):
        names[domain] = f"ci{number}@acme.example"
        production = an_org(salesforce, names[domain], host=f"acme.my.{domain}")
        register(owner, production)
        salesforce.add_sandbox(production, "dev1")
    return names


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_sandbox_is_reached_and_opened_in_its_region(owner, regions, domain):
    answer = owner.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": regions[domain]})

    assert answer.status_code == 201, answer
    host = f"https://acme--dev1.sandbox.my.{domain}"
    assert answer.json()["instanceUrl"] == host
    assert answer.json()["frontDoorUrl"].startswith(f"{host}/")
    link = owner.get(FRONTDOOR, target="dev1", prodOrg=regions[domain], redirect="false").json()["frontDoorUrl"]
    assert link.startswith(f"{host}/")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_registered_sandbox_belongs_to_the_production_org_of_its_region(owner, salesforce, regions, domain):
    sandbox = next(org for org in salesforce.orgs if org.host == f"acme--dev1.sandbox.my.{domain}")
    register(owner, sandbox)

    registered = SalesforceOrg.objects.get(instance_url=sandbox.instance_url)
    assert registered.sandbox_name == "dev1"
    assert str(parent_of(registered)) == regions[domain]
    for other in DOMAINS:
        answer = owner.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": regions[other]})
        assert answer.status_code == (400 if other == domain else 201), answer


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_sandbox_is_registered_by_its_name_in_its_region(owner, regions, domain):
    answer = owner.post(BY_NAME, {"sandboxName": "dev1", "productionUsername": regions[domain]})

    assert answer.status_code == 201, answer
    assert answer.json()["instanceUrl"] == f"https://acme--dev1.sandbox.my.{domain}"


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("acme.my-salesforce.com", "SALESFORCE_EXTRA_DOMAINS=my-salesforce.com"),
        ("acme.cloudforce.com", "SALESFORCE_EXTRA_DOMAINS=cloudforce.com"),
        ("acme.lightning.force.com", "Use acme.my.salesforce.com"),
        ("acme.my.salesforce-setup.com", "Use acme.my.salesforce.com"),
    ],
)
def test_registering_says_which_host_was_refused_and_what_admits_it(owner, salesforce, host, said):
    by_url = owner.post(REGISTER, {"sfdxAuthUrl": f"force://PlatformCLI::token@{host}"})
    production = a_production_org(owner, salesforce)
    by_instance = owner.post(REGISTER, {"sfdxAuthUrl": production.auth_url(), "instanceUrl": f"https://{host}"})

    assert by_url.refusal == (400, "INVALID_SFDX_AUTH_URL")
    assert by_instance.refusal == (400, "INVALID_INSTANCE_URL")
    for answer in (by_url, by_instance):
        assert host in answer.json()["message"]
        assert said in answer.json()["message"]
