"""GET /sfp/api/auth/salesforce/orgs."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authn.models import AuditEvent
from orgs.credentials.models import Credential
from orgs.metadata import write_metadata
from orgs.models import SalesforceOrg
from tests.orgs.factories import ORG, ORGS, REGISTER, a_registered_org, an_org, register

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def _names(response) -> list[str]:
    assert response.status_code == 200, response
    return [org["username"].partition("@")[0] for org in response.json()]


@pytest.fixture
def company(owner, salesforce):
    hub = a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, metadata={"team": "core", "tier": 1})
    a_registered_org(owner, salesforce, "emea@acme.example", isDevHub=True, metadata={"team": "emea", "live": True})
    sandbox = salesforce.add_sandbox(hub, "dev1", username="dev@acme.example")
    register(owner, sandbox, metadata={"team": "core", "tier": "1"})
    scratch = salesforce.add_scratch_org(hub, username="scratch@acme.example", host="s-1.scratch.my.salesforce.com")
    register(owner, scratch)
    return hub


def test_the_list_has_every_org_and_no_credential(member, company):
    response = member.get(ORGS)

    assert _names(response) == ["dev", "emea", "hub", "scratch"]
    for org in response.json():
        assert not {"accessToken", "sfdxAuthUrl"} & set(org)
        assert org["createdAt"]
        assert org["health"]["state"] == "healthy"


def test_without_orgs_the_list_is_empty(member):
    assert member.get(ORGS).json() == []


FILTERS = [
    ({"type": "Production"}, ["emea", "hub"]),
    ({"type": "production"}, ["emea", "hub"]),
    ({"type": "Sandbox"}, ["dev"]),
    ({"type": "SCRATCH"}, ["scratch"]),
    ({"type": "enterprise edition"}, ["dev", "emea", "hub"]),
    ({"type": "Developer Edition"}, ["scratch"]),
    ({"type": "Nonsense"}, []),
    ({"devhub": "true"}, ["emea", "hub"]),
    ({"devhub": "false"}, ["dev", "emea", "hub", "scratch"]),
    ({"metadata": "team=core"}, ["dev", "hub"]),
    ({"metadata": '{"team":"core"}'}, ["dev", "hub"]),
    ({"metadata": "team=core,tier=1"}, ["dev", "hub"]),
    ({"metadata": '{"team":"core","tier":1}'}, ["hub"]),
    ({"metadata": '{"tier":"1"}'}, ["dev"]),
    ({"metadata": "live=true"}, ["emea"]),
    ({"metadata": '{"live":true}'}, ["emea"]),
    ({"metadata": '{"live":"true"}'}, []),
    ({"metadata": "team=Core"}, []),
    ({"metadata": "team=core,team=emea"}, []),
    ({"metadata": " team = core "}, ["dev", "hub"]),
    ({"type": "Production", "devhub": "true", "metadata": "team=emea"}, ["emea"]),
    ({"limit": "2"}, ["dev", "emea"]),
    ({"limit": "2", "after": "emea@acme.example"}, ["hub", "scratch"]),
    ({"after": "HUB@acme.example"}, ["scratch"]),
    ({"after": "zzz"}, []),
]


def test_the_list_is_filtered(member, company, each):
    for query, names in FILTERS:
        with each(str(query)):
            assert _names(member.get(ORGS, **query)) == names


def test_only_current_metadata_is_found(owner, company):
    owner.patch(ORG, {"metadata": {"team": "new", "nested": {"a": 1}, "long": "x" * 600}}, username="hub@acme.example")

    assert _names(owner.get(ORGS, metadata="team=new")) == ["hub"]
    assert _names(owner.get(ORGS, metadata="tier=1")) == ["dev"]
    assert _names(owner.get(ORGS, metadata='{"nested":{"a":1}}')) == []
    assert _names(owner.get(ORGS, metadata="long=" + "x" * 600)) == []


# --- Pages -------------------------------------------------------------------------------------------


def test_the_pages_cover_the_whole_list(member, company):
    seen, query = [], {"limit": "1", "type": "Production"}

    for _ in range(2):
        response = member.get(ORGS, **query)
        seen += _names(response)
        link = re.fullmatch(
            r'<(http://localhost:8000/sfp/api/auth/salesforce/orgs\?.*)>; rel="next"', response.headers.get("Link", "")
        )
        query = {name: values[0] for name, values in parse_qs(urlsplit(link[1]).query).items()} if link else {}

    assert seen == ["emea", "hub"]
    assert query == {}, "the last page has no link to a next one"


@pytest.fixture
def thousands(db):
    """Insert 2,500 registered orgs with metadata, directly in the database for speed."""
    credentials = Credential.objects.bulk_create(Credential(sealed_grant="{}") for _ in range(2500))
    orgs = SalesforceOrg.objects.bulk_create(
        SalesforceOrg(
            username=f"ci{number:05}@acme.example",
            instance_url="https://acme.my.salesforce.com",
            org_id="00D000000000000AAA",
            metadata={"number": number},
            credential=credential,
        )
        for number, credential in enumerate(credentials)
    )
    for org in orgs[:5]:
        write_metadata(org, org.metadata)
    return orgs


def test_the_whole_list_takes_one_query_more_for_each_thousand(member, thousands):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = member.get(ORGS)

    assert len(response.json()) == 2500
    assert [org["username"] for org in response.json()] == [org.username for org in thousands]
    assert len(captured) <= 1 + 3, [query["sql"][:90] for query in captured]


def test_a_page_takes_two_queries_after_the_use_of_the_token_was_recorded(application, thousands):
    application.get(ORGS, limit="1")

    with CaptureQueriesContext(connection) as captured:
        response = application.get(ORGS, limit="500", metadata="number=3", devhub="false")

    assert len(response.json()) == 1
    assert len(captured) == 2, [query["sql"][:90] for query in captured]


def test_the_list_decrypts_nothing(member, thousands):
    sealed = [column.name for column in Credential._meta.fields if column.name.startswith("sealed")]

    with CaptureQueriesContext(connection) as captured:
        member.get(ORGS)

    assert len(sealed) == 2
    assert not [query for query in captured if any(column in query["sql"] for column in sealed)]


# --- Auth URLs in the list ---------------------------------------------------------------------------


def test_auth_urls_are_released_if_requested_and_each_is_audited(application, owner, salesforce, company):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    register(owner, an_org(salesforce, "rotating@acme.example"), app)
    AuditEvent.objects.all().delete()

    response = application.get(ORGS, includeSfdxAuthUrl="true")

    urls = {org["username"].partition("@")[0]: org.get("sfdxAuthUrl") for org in response.json()}
    assert urls.pop("rotating") is None
    assert all(url.startswith("force://PlatformCLI::") for url in urls.values())
    assert all(salesforce.is_alive(url) for url in urls.values())
    events = AuditEvent.objects.filter(action="auth_url.handed_out", outcome="granted")
    assert sorted(event.target_label.partition("@")[0] for event in events) == sorted(urls)
    assert all(event.fingerprint for event in events)


def test_a_released_auth_url_registers_the_same_credential(owner, company):
    url = owner.get(ORGS, includeSfdxAuthUrl="true").json()[0]["sfdxAuthUrl"]

    owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert Credential.objects.count() == 4


def test_an_org_without_a_valid_credential_is_listed_without_an_auth_url(owner, salesforce, company):
    company.revoke_all()
    owner.get(ORG, username=company.username)
    SalesforceOrg.objects.filter(username="emea@acme.example").update(credential=None)

    response = owner.get(ORGS, includeSfdxAuthUrl="true")

    with_url = [org["username"].partition("@")[0] for org in response.json() if "sfdxAuthUrl" in org]
    assert with_url == ["dev", "scratch"]


def test_auth_urls_are_refused_if_the_release_is_disabled(owner, company, settings):
    settings.ALLOW_AUTH_URL_RELEASE = False

    response = owner.get(ORGS, includeSfdxAuthUrl="true")

    assert response.status_code == 403
    assert response.json()["code"] == "AUTH_URL_RELEASE_OFF"


def test_a_head_request_releases_nothing(owner, company):
    AuditEvent.objects.all().delete()

    response = owner.head(ORGS, includeSfdxAuthUrl="true")

    assert response.status_code == 200
    assert response.content == b""
    assert not AuditEvent.objects.filter(action="auth_url.handed_out").exists()
