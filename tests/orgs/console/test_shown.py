"""The console's pages for orgs: search, orgs that need attention, and no secrets."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from authn.models import AuditEvent, User
from authn.roles import Role
from orgs.credentials.models import Credential
from orgs.models import SalesforceOrg
from tests.orgs.factories import a_registered_org, an_org
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
ORGS = "/console/orgs/salesforceorg/"
ADD = f"{ORGS}add/"
EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.fixture
def org(owner, salesforce) -> SalesforceOrg:
    a_registered_org(owner, salesforce, metadata={"team": "core"})
    return SalesforceOrg.objects.get()


def _page(org: SalesforceOrg, submit_label: str = "change") -> str:
    return f"{ORGS}{org.pk}/{submit_label}/"


# --- Search -------------------------------------------------------------------------------------------------


@pytest.fixture
def three(owner, salesforce):
    a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, metadata={"team": "core"})
    a_registered_org(owner, salesforce, "prod@globex.example", metadata={"tier": 1})
    sandbox = salesforce.add_org("acme--dev1.sandbox.my.salesforce.com", username="box@acme.example", kind="sandbox")
    owner.post("/sfp/api/auth/salesforce/register", {"sfdxAuthUrl": sandbox.auth_url()})
    Credential.objects.filter(org__username="prod@globex.example").update(health="expired", reason="USER_INACTIVE")


SEARCHES = [
    ({"q": "HUB@"}, {"hub"}),
    ({"q": "dev1"}, {"box"}),
    ({"kind__exact": "sandbox"}, {"box"}),
    ({"is_dev_hub__exact": "1"}, {"hub"}),
    ({"credential__health__exact": "expired"}, {"prod"}),
    ({"metadata_key": "tier"}, {"prod"}),
    ({"metadata_key": "team", "kind__exact": "production"}, {"hub"}),
    ({"q": "nothing of the kind"}, set()),
]


@pytest.mark.database
def test_orgs_are_found_by_search_and_filter(console, three, each):
    for query, found in SEARCHES:
        with each(str(query)):
            page = text_of(console.get(ORGS, **query)).split('id="result_list"')[-1].split('id="changelist-filter"')[0]

            shown = {name for name in ("hub", "prod", "box") if f">{name}@" in page}
            assert shown == found


@pytest.mark.database
def test_an_org_is_found_by_its_org_id(console, org):
    assert "ci@acme.example" in text_of(console.get(ORGS, q=org.org_id)).split('id="result_list"')[1]


@pytest.mark.database
def test_the_dashboard_lists_orgs_that_need_attention_with_the_action(console, three):
    page = text_of(console.get(reverse("admin:index")))

    needy = page.split('class="alerts"')[1].split("</ul>")[0]
    assert "prod@globex.example" in needy
    assert "Activate the user in the org, or register the org with another user." in needy
    assert "hub@acme.example" not in needy


# --- Secrets and markup -------------------------------------------------------------------------------------


def _every_page(console: Visitor, org: SalesforceOrg) -> list[str]:
    paths = [
        ORGS,
        ADD,
        "/console/",
        "/console/orgs/",
        "/console/authn/auditevent/",
        "/console/authn/auditevent/export.csv",
    ]
    paths += [_page(org), _page(org, "delete"), f"{ORGS}?_facets=1", f"{ORGS}?q=ci"]
    paths += [f"/console/authn/auditevent/{event.pk}/change/" for event in AuditEvent.objects.all()[:20]]
    return [text_of(console.get(path)) for path in paths]


def test_no_console_page_contains_a_secret(console, owner, salesforce):
    app = salesforce.add_app("AcmeCI", "app-secret-canary", rotates=True)
    url = an_org(salesforce).auth_url(app)
    pages = [text_of(console.post(ADD, {"auth_url": url, "username": "other@acme.example"}))]
    pages += [text_of(console.post(ADD, {"auth_url": f"{url}/x"})), text_of(console.post(ADD, {"auth_url": url}))]
    pages += [text_of(console.post(ADD, {"auth_url": f"{url}x", "username": url, "metadata": "{"}))]
    owner.post("/sfp/api/auth/salesforce/access-token", username="ci@acme.example")
    org = SalesforceOrg.objects.get()
    console.post(_page(org, "test"), form_at=ORGS)
    pages += _every_page(console, org)

    secrets = {app.secret, "canary", *salesforce.sessions}
    secrets |= {token for grant in salesforce.grants for token in (grant.newest, *grant.spent)}
    sealed = Credential.objects.with_secrets().values_list("sealed_grant", "sealed_session")
    secrets |= {str(value) for row in sealed for value in row if value}
    assert len(secrets) > 5
    assert not [secret for secret in secrets for page in pages if secret in page]
    assert not LogEntry.objects.exists()


def test_markup_in_names_and_metadata_is_escaped(console, org):
    odd = "<b>x</b>@acme.example"
    SalesforceOrg.objects.filter(pk=org.pk).update(
        username=odd, metadata={EVIL: EVIL}, instance_name=EVIL[:40], sandbox_name=EVIL, organization_type=EVIL
    )
    org.metadata_rows.update(key=EVIL, value=EVIL)
    User.objects.filter(email="olga@acme.example").update(email="<i>olga</i>@acme.example")

    pages = _every_page(console, org)

    assert any("&lt;b&gt;x" in page for page in pages)
    assert not [page for page in pages if "<b>x" in page or "<img src=x" in page or "<i>olga" in page]
