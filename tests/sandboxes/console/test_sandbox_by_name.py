"""The console page that registers a sandbox by its name."""

import pytest
from django.utils.html import escape

from authn.models import AuditEvent
from authn.roles import Role
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from sandboxes.models import OnDemandGrant
from tests.orgs.factories import ACCESS_TOKEN, REGISTER, a_registered_org
from tests.sandboxes.factories import BY_NAME, PROD
from tests.sandboxes.watched_calls import watch
from tests.support.browser_client import Visitor, error_at, text_of

pytestmark = pytest.mark.django_db
ORGS = "/console/orgs/salesforceorg/"
PAGE = f"{ORGS}register-sandbox/"
DEV1 = {"sandbox_name": "dev1", "production_username": PROD}
USERNAME = "ci@acme.example.dev1"


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.mark.database
def test_a_sandbox_is_registered_by_its_name(console, owner, sandbox):
    response = console.post(PAGE, DEV1)

    org = SalesforceOrg.objects.get(username=USERNAME)
    assert response["Location"] == f"{ORGS}{org.pk}/change/"
    assert f"{USERNAME} was registered." in text_of(console.get(response["Location"]))
    assert (org.org_id, org.sandbox_name, org.is_jit_registration) == (sandbox.org_id, "dev1", True)
    assert org.parent is not None
    assert org.parent.username == PROD
    assert owner.post(ACCESS_TOKEN, username=USERNAME).status_code == 200


def test_the_audit_has_the_rows_that_the_api_writes(console, owner, salesforce, production):
    for name in ("dev1", "dev2"):
        salesforce.add_sandbox(production, name)
    before = AuditEvent.objects.count()
    console.post(PAGE, DEV1)
    by_page = list(AuditEvent.objects.order_by("id")[before:].values_list("action", "outcome", "actor_name"))
    before = AuditEvent.objects.count()
    owner.post(BY_NAME, {"sandboxName": "dev2", "productionUsername": PROD})
    by_api = list(AuditEvent.objects.order_by("id")[before:].values_list("action", "outcome", "actor_name"))

    assert [row[:2] for row in by_page] == [row[:2] for row in by_api]
    assert ("org.registered", "granted", "olga@acme.example") in by_page


@pytest.mark.parametrize(
    ("spoil", "field", "message"),
    [
        (
            lambda production, sandbox: production.processes.clear(),
            "sandbox_name",
            "ci@acme.example has no sandbox 'dev1'. Check the name in the production org: Setup > Sandboxes.",
        ),
        (
            lambda production, sandbox: setattr(production.processes[-1], "status", "Processing"),
            "sandbox_name",
            "The sandbox is being created or refreshed. Try again when Salesforce has finished.",
        ),
        (
            lambda production, sandbox: setattr(sandbox, "creator", "release@acme.example"),
            "sandbox_name",
            "only the user who created or last refreshed it can.",
        ),
        (lambda production, sandbox: sandbox.users[0].deactivate(), "sandbox_name", "Activate the user in the org"),
        (
            lambda production, sandbox: (production.revoke_all(), Credential.objects.update(sealed_session=None)),
            "production_username",
            "ci@acme.example: ",
        ),
    ],
    ids=["unknown", "processing", "not the creator", "user inactive", "parent revoked"],
)
def test_a_refusal_is_shown_at_its_field_and_nothing_is_stored(spoil, field, message, console, production, sandbox):
    spoil(production, sandbox)

    response = console.post(PAGE, DEV1)

    assert response.status_code == 200
    assert message in error_at(response, field)
    assert "/sfp/api" not in error_at(response, field)
    assert SalesforceOrg.objects.count() == 1
    assert not OnDemandGrant.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"sandbox_name": ""}, "sandbox_name", "This field is required."),
        ({"production_username": ""}, "production_username", "This field is required."),
        ({"sandbox_name": "two words"}, "sandbox_name", "Not a valid sandbox name"),
        ({"production_username": "no body"}, "production_username", "Not a valid Salesforce username"),
        ({"production_username": "unknown@acme.example"}, "production_username", "No registered org is named"),
    ],
)
def test_a_wrong_entry_is_refused_at_its_field_without_a_call(fields, field, message, console, salesforce, sandbox):
    response = console.post(PAGE, DEV1 | fields)

    assert message in error_at(response, field)
    assert not salesforce.calls
    assert SalesforceOrg.objects.count() == 1


def test_a_parent_that_is_a_sandbox_is_refused_at_its_field(console, owner, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    response = console.post(PAGE, DEV1 | {"production_username": USERNAME})

    assert f"{USERNAME} is not a production org. Enter the username" in error_at(response, "production_username")


def test_a_temporary_failure_is_shown_above_the_form_and_the_entries_stay(console, salesforce, sandbox):
    salesforce.inject(Fault.html_maintenance(), path="/services/data/v67.0/tooling/sandboxAuth")

    page = text_of(console.post(PAGE, DEV1))

    assert "Salesforce is down for maintenance." in page.split('role="alert"')[1].split("</div>")[0]
    assert 'value="dev1"' in page
    assert f'value="{PROD}"' in page


def test_a_secret_in_a_field_is_not_repeated(console, sandbox):
    url = sandbox.auth_url()

    page = text_of(console.post(PAGE, {"sandbox_name": url, "production_username": url}))

    assert url not in page
    assert escape(url) not in page


def test_the_list_of_orgs_and_a_production_org_lead_to_the_page_and_a_sandbox_does_not(console, owner, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    pages = {org.username: text_of(console.get(f"{ORGS}{org.pk}/change/")) for org in SalesforceOrg.objects.all()}

    assert f'<a href="{PAGE}">Register a sandbox by name</a>' in text_of(console.get(ORGS))
    assert f'href="{PAGE}?parent=ci%40acme.example"' in pages[PROD]
    assert PAGE not in pages[USERNAME]


def test_the_parent_of_the_link_is_filled_in(console, owner, salesforce, production):
    a_registered_org(owner, salesforce, "other@globex.example")

    of_link = text_of(console.get(PAGE, parent="CI@acme.example"))
    of_none = text_of(console.get(PAGE))
    of_unknown = text_of(console.get(PAGE, parent="unknown@acme.example"))

    assert f'value="{PROD}"' in of_link
    assert "@acme.example" not in of_none.split('class="plain"')[1]
    assert "unknown@" not in of_unknown


def test_the_only_production_org_is_filled_in(console, production):
    assert f'value="{PROD}"' in text_of(console.get(PAGE))


def test_owners_get_the_page_and_members_and_strangers_do_not(console, a_person, sandbox):
    member = Visitor().sign_in(a_person("mia@acme.example"))

    assert console.get(PAGE).status_code == 200
    assert member.client.get(PAGE, follow=True).status_code == 403
    assert "/login" in Visitor().get(PAGE)["Location"]


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_during_the_calls(console, salesforce, sandbox):
    calls = watch(salesforce)

    response = console.post(PAGE, DEV1)

    assert response.status_code == 302
    assert len(calls) >= 3
    assert calls.in_transaction == []
