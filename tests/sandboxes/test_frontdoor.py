"""GET .../frontdoor: a one-time link to a registered org, a pool instance, or an unregistered org."""

from urllib.parse import parse_qs, urlsplit

import pytest

from authn.models import AuditEvent
from orgs.salesforce.emulator import Fault
from sandboxes.models import PoolInstance
from sandboxes.names import page_in_org
from tests.orgs.factories import REGISTER
from tests.sandboxes.factories import (
    BY_NAME,
    FRONTDOOR,
    PROD,
    REPOSITORY,
    a_production_org,
    a_scratch_org,
    an_instance,
    opens,
)

pytestmark = pytest.mark.django_db
POOL = {"repository": REPOSITORY, "poolTag": "features"}
NOT_ALLOWED = (403, "FRONTDOOR_NOT_ALLOWED")


# --- Search order --------------------------------------------------------------------------------------


def test_a_link_to_a_registered_sandbox_is_created(member, owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    response = member.get(FRONTDOOR, target="dev1", redirect="false")

    assert response.status_code == 200, response
    content = response.json()
    assert content == {
        "frontDoorUrl": content["frontDoorUrl"],
        "username": "ci@acme.example.dev1",
        "instanceUrl": sandbox.instance_url,
        "orgId": sandbox.org_id,
    }
    assert opens(salesforce, content["frontDoorUrl"], sandbox)


def test_a_link_to_a_sandbox_registered_by_name_is_created(member, owner, salesforce, sandbox):
    owner.post(BY_NAME, {"sandboxName": "dev1", "productionUsername": PROD})

    link = member.get(FRONTDOOR, target="dev1", redirect="false").json()["frontDoorUrl"]

    assert opens(salesforce, link, sandbox)


def test_a_link_to_a_pool_instance_is_created_with_its_repository(owner, salesforce, sandbox):
    an_instance(owner)

    link = owner.get(FRONTDOOR, target="DEV1", repository=REPOSITORY, redirect="false").json()["frontDoorUrl"]

    assert opens(salesforce, link, sandbox)
    assert PoolInstance.objects.get().org_id == sandbox.org_id


def test_a_link_to_an_unregistered_sandbox_is_created(member, salesforce, sandbox):
    for query in ({"prodOrg": PROD}, {}):
        link = member.get(FRONTDOOR, target="dev1", redirect="false", **query).json()["frontDoorUrl"]
        assert opens(salesforce, link, sandbox)


def test_a_link_to_an_unregistered_scratch_org_is_created(member, salesforce, production):
    scratch = a_scratch_org(salesforce, production)

    link = member.get(FRONTDOOR, target="s1@acme.example", redirect="false").json()["frontDoorUrl"]

    assert opens(salesforce, link, scratch)


def test_a_registered_org_precedes_a_pool_instance_with_its_name(member, owner, salesforce, production, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    PoolInstance.objects.create(repository=REPOSITORY, pool_tag="x", name="dev1", type="SANDBOX", status="EXPIRED")

    response = member.get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")

    assert response.json()["username"] == "ci@acme.example.dev1"


def test_pool_instances_are_searched_in_the_requested_repository_only(member, owner, salesforce, sandbox):
    an_instance(owner)

    without = member.get(FRONTDOOR, target="dev1", redirect="false")
    elsewhere = member.get(FRONTDOOR, target="dev1", repository="acme/other", redirect="false")
    there = member.get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")

    assert (without.status_code, elsewhere.status_code) == (200, 200)  # both through the production org
    assert there.refusal == (403, "POOL_NOT_ASSIGNED")


def test_sandboxes_with_the_same_name_are_selected_by_production_org(member, owner, salesforce, sandbox):
    other = a_production_org(owner, salesforce, "other@acme.example")
    namesake = salesforce.add_sandbox(other, "dev1")
    for org in (sandbox, namesake):
        owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    ambiguous = member.get(FRONTDOOR, target="dev1")
    link = member.get(FRONTDOOR, target="dev1", prodOrg="other@acme.example", redirect="false").json()["frontDoorUrl"]

    assert ambiguous.refusal == (409, "AMBIGUOUS_SANDBOX")
    assert opens(salesforce, link, namesake)


def test_an_unknown_name_is_404(member, production):
    assert member.get(FRONTDOOR, target="nope").refusal == (404, "SANDBOX_NOT_FOUND")
    assert member.get(FRONTDOOR, target="unknown@acme.example").refusal == (404, "SCRATCH_ORG_NOT_FOUND")
    for name in ("no.such.name", "Œ@acme.example", "a@b@c.example"):
        assert member.get(FRONTDOOR, target=name).refusal == (400, "INVALID_TARGET")


# --- Responses -------------------------------------------------------------------------------------------


def test_the_response_redirects_by_default(member, salesforce, sandbox):
    response = member.get(FRONTDOOR, target="dev1")

    assert response.status_code == 302
    assert opens(salesforce, response.headers["Location"], sandbox)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "sid=" not in response.headers["Location"]


def test_each_request_gets_a_different_link(member, sandbox):
    links = {member.get(FRONTDOOR, target="dev1", redirect="false").json()["frontDoorUrl"] for _ in range(3)}

    assert len(links) == 3


@pytest.mark.parametrize("target", ["dev1", PROD])
def test_a_head_request_creates_no_link(target, owner, salesforce, sandbox):
    response = owner.head(FRONTDOOR, target=target)

    assert (response.status_code, response.content) == (200, b"")
    assert not salesforce.calls


def test_a_head_request_is_refused_like_get(member, production):
    assert member.head(FRONTDOOR, target=PROD).status_code == 403


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_a_prefetch_creates_no_link(header, owner, salesforce, sandbox):
    response = owner.send("GET", FRONTDOOR, query={"target": "dev1"}, headers={header: "prefetch;prerender"})

    assert response.status_code == 204
    assert not salesforce.calls


def test_a_link_leads_to_the_requested_page(member, salesforce, sandbox):
    link = member.get(FRONTDOOR, target="dev1", path="lightning/setup/home", redirect="false").json()["frontDoorUrl"]

    code = parse_qs(urlsplit(link).query)["otp"][0]
    assert salesforce.visits[code].page == "/lightning/setup/home"


ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/a\r\nSet-Cookie: a=b",
    "/ünïcode",
    "/..//evil.example",
    "/a//evil.example",
    "/../../x",
    "/" + "a" * 2001,
]


def test_a_path_to_another_host_is_refused(member, salesforce, sandbox, each):
    for leads_to in ELSEWHERE:
        with each(leads_to[:40]):
            response = member.get(FRONTDOOR, target="dev1", path=leads_to)

            assert response.refusal == (400, "VALIDATION_FAILED")
            assert not salesforce.calls


def test_paths_are_made_absolute():
    assert page_in_org("lightning/page/home") == "/lightning/page/home"
    assert page_in_org("/a?b=c:d//e") == "/a?b=c:d//e"
    assert page_in_org("") == ""


BAD_QUERIES = [
    {"target": ""},
    {"target": "\x00"},
    {"target": "<script>alert(1)</script>"},
    {"target": "dev1", "repository": "no-slash"},
    {"target": "dev1", "repository": "a//b"},
    {"target": "dev1", "prodOrg": "https://evil.example"},
    {"target": "dev1", "redirect": "perhaps"},
    {"target": ["dev1", "dev2"]},
    {},
]


def test_bad_parameters_are_refused(member, salesforce, sandbox, each):
    for query in BAD_QUERIES:
        with each(str(query)):
            assert member.send("GET", FRONTDOOR, query=query).status_code == 400
            assert not salesforce.calls


# --- Failures --------------------------------------------------------------------------------------------


def test_an_ended_session_is_replaced_once(owner, salesforce, production):
    salesforce.inject(Fault.status(403, b"Bad_OAuth_Token"), path="/services/oauth2/singleaccess")

    response = owner.get(FRONTDOOR, target=PROD, redirect="false")

    assert response.status_code == 200, response
    assert salesforce.refreshes() == 2


def test_a_user_without_browser_access_is_an_error(owner, salesforce, production):
    production.users[0].api_only = True

    response = owner.get(FRONTDOOR, target=PROD)

    assert response.refusal == (502, "FRONTDOOR_REFUSED")
    assert "API-only" in response.json()["action"]
    assert salesforce.refreshes() == 2


@pytest.mark.parametrize("link", ["https://evil.example/?otp=1", "https://ci.my.salesforce.com@evil.example/"])
def test_a_link_to_a_foreign_host_is_not_returned(link, owner, salesforce, production):
    salesforce.inject(Fault.fields(frontdoor_uri=link), path="/services/oauth2/singleaccess")

    response = owner.get(FRONTDOOR, target=PROD)

    assert response.refusal == (502, "UPSTREAM_UNTRUSTED_URL")
    assert "evil.example" not in response.text


def test_links_are_not_in_the_log_or_the_audit(member, sandbox, caplog):
    link = member.get(FRONTDOOR, target="dev1", redirect="false").json()["frontDoorUrl"]

    rows = AuditEvent.objects.filter(action="frontdoor.handed_out")
    assert [(row.outcome, row.target_label) for row in rows] == [("granted", "ci@acme.example.dev1")]
    code = parse_qs(urlsplit(link).query)["otp"][0]
    assert code not in str([vars(row) for row in AuditEvent.objects.all()])
    assert code not in caplog.text
