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


def _names(answer) -> list[str]:
    assert answer.status_code == 200, answer
    return [org["username"].partition("@")[0] for org in answer.json()]


@pytest.fixture
def company(owner, salesforce):
    hub = a_registered_org(owner, salesforce, "hub@acme.example", isDevHub=True, metadata={"team": "core", "tier": 1})
    a_registered_org(owner, salesforce, "emea@acme.example", isDevHub=True, metadata={"team": "emea", "live": True})
    sandbox = salesforce.add_sandbox(hub, "dev1", username="dev@acme.example")
    register(owner, sandbox, metadata={"team": "core", "tier": "1"})
    scratch = salesforce.add_scratch_org(hub, username="scratch@acme.example", host="s-1.scratch.my.salesforce.com")
    register(owner, scratch)
    return hub


def test_the_list_holds_every_org_and_no_credential(member, company):
    answer = member.get(ORGS)

    assert _names(answer) == ["dev", "emea", "hub", "scratch"]
    for org in answer.json():
        assert not {"accessToken", "sfdxAuthUrl"} & set(org)
        assert org["createdAt"]
        assert org["health"]["state"] == "healthy"


def test_no_org_is_an_empty_list(member):
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


def test_filters(member, company, each):
    for query, names in FILTERS:
        with each(str(query)):
            assert _names(member.get(ORGS, **query)) == names


def test_changed_metadata_is_found_and_the_old_is_not(owner, company):
    owner.patch(ORG, {"metadata": {"team": "new", "nested": {"a": 1}, "long": "x" * 600}}, username="hub@acme.example")

    assert _names(owner.get(ORGS, metadata="team=new")) == ["hub"]
    assert _names(owner.get(ORGS, metadata="tier=1")) == ["dev"]
    assert _names(owner.get(ORGS, metadata='{"nested":{"a":1}}')) == []
    assert _names(owner.get(ORGS, metadata="long=" + "x" * 600)) == []


# --- Pages and blocks --------------------------------------------------------------------------------


def test_pages_lead_through_the_whole_list(member, company):
    seen, query = [], {"limit": "1", "type": "Production"}

    for _ in range(2):
        answer = member.get(ORGS, **query)
        seen += _names(answer)
        link = re.fullmatch(
            r'<(http://localhost:8000/sfp/api/auth/salesforce/orgs\?.*)>; rel="next"', answer.headers.get("Link", "")
        )
        query = {name: values[0] for name, values in parse_qs(urlsplit(link[1]).query).items()} if link else {}

    assert seen == ["emea", "hub"]
    assert query == {}, "the last page has no link to a next one"


@pytest.fixture
def thousands(db):
    """2,500 registered orgs, with metadata; written straight to the database, for speed."""
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
        answer = member.get(ORGS)

    assert len(answer.json()) == 2500
    assert [org["username"] for org in answer.json()] == [org.username for org in thousands]
    assert len(captured) <= 1 + 3, [query["sql"][:90] for query in captured]


def test_a_page_takes_two_queries_where_the_use_of_the_token_is_noted_already(application, thousands):
    application.get(ORGS, limit="1")

    with CaptureQueriesContext(connection) as captured:
        answer = application.get(ORGS, limit="500", metadata="number=3", devhub="false")

    assert len(answer.json()) == 1
    assert len(captured) == 2, [query["sql"][:90] for query in captured]


def test_the_list_decrypts_nothing(member, thousands):
    sealed = [column.name for column in Credential._meta.fields if column.name.startswith("sealed")]

    with CaptureQueriesContext(connection) as captured:
        member.get(ORGS)

    assert len(sealed) == 2
    assert not [query for query in captured if any(column in query["sql"] for column in sealed)]


# --- Auth URLs in the list ---------------------------------------------------------------------------


def test_auth_urls_are_handed_out_when_asked_for_and_each_is_audited(application, owner, salesforce, company):
    app = salesforce.add_app("AcmeCI", "s3cret", rotates=True)
    register(owner, an_org(salesforce, "rotating@acme.example"), app)
    AuditEvent.objects.all().delete()

    answer = application.get(ORGS, includeSfdxAuthUrl="true")

    urls = {org["username"].partition("@")[0]: org.get("sfdxAuthUrl") for org in answer.json()}
    assert urls.pop("rotating") is None
    assert all(url.startswith("force://PlatformCLI::") for url in urls.values())
    assert all(salesforce.is_alive(url) for url in urls.values())
    events = AuditEvent.objects.filter(action="auth_url.handed_out", outcome="granted")
    assert sorted(event.org_username.partition("@")[0] for event in events) == sorted(urls)
    assert all(event.fingerprint for event in events)


def test_an_auth_url_from_the_list_registers_the_same_credential(owner, company):
    url = owner.get(ORGS, includeSfdxAuthUrl="true").json()[0]["sfdxAuthUrl"]

    owner.post(REGISTER, {"sfdxAuthUrl": url})

    assert Credential.objects.count() == 4


def test_an_org_with_a_dead_or_no_credential_stands_in_the_list_without_an_auth_url(owner, salesforce, company):
    company.revoke_all()
    owner.get(ORG, username=company.username)
    SalesforceOrg.objects.filter(username="emea@acme.example").update(credential=None)

    answer = owner.get(ORGS, includeSfdxAuthUrl="true")

    with_url = [org["username"].partition("@")[0] for org in answer.json() if "sfdxAuthUrl" in org]
    assert with_url == ["dev", "scratch"]


def test_auth_urls_are_refused_when_their_release_is_off(owner, company, settings):
    settings.ALLOW_AUTH_URL_RELEASE = False

    answer = owner.get(ORGS, includeSfdxAuthUrl="true")

    assert answer.status_code == 403
    assert answer.json()["code"] == "AUTH_URL_RELEASE_OFF"


def test_a_head_request_hands_out_nothing(owner, company):
    AuditEvent.objects.all().delete()

    answer = owner.head(ORGS, includeSfdxAuthUrl="true")

    assert answer.status_code == 200
    assert answer.content == b""
    assert not AuditEvent.objects.filter(action="auth_url.handed_out").exists()
