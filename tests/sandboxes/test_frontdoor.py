"""GET .../frontdoor: a one-time link into a registered org, a pool instance, or an org on demand."""

from urllib.parse import parse_qs, urlsplit

import pytest

from authn.models import AuditEvent
from orgs.models import SalesforceOrg
from orgs.salesforce.emulator import Fault
from sandboxes.models import PoolInstance
from sandboxes.names import page_in_org
from tests.orgs.factories import REGISTER, an_org
from tests.sandboxes.factories import (
    BY_NAME,
    FRONTDOOR,
    POOLS,
    PROD,
    REPOSITORY,
    a_production_org,
    a_scratch_org,
    an_instance,
)

pytestmark = pytest.mark.django_db
POOL = {"repository": REPOSITORY, "poolTag": "features"}
NOT_ALLOWED = (403, "FRONTDOOR_NOT_ALLOWED")


def _told(answer):
    return answer.status_code, answer.json()["code"]


def _opens(salesforce, link, org):
    """Tell whether a link opens an org, once."""
    code = parse_qs(urlsplit(link).query)["otp"][0]
    return salesforce.visits[code].user.org is org and not salesforce.visits[code].entered


# --- The three places ----------------------------------------------------------------------------------


def test_a_registered_sandbox_is_opened(member, owner, salesforce, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})

    answer = member.get(FRONTDOOR, target="dev1", redirect="false")

    assert answer.status_code == 200, answer
    content = answer.json()
    assert content == {
        "frontDoorUrl": content["frontDoorUrl"],
        "username": "ci@acme.example.dev1",
        "instanceUrl": sandbox.instance_url,
        "orgId": sandbox.org_id,
    }
    assert _opens(salesforce, content["frontDoorUrl"], sandbox)


def test_a_sandbox_that_was_registered_by_name_is_opened(member, owner, salesforce, sandbox):
    owner.post(BY_NAME, {"sandboxName": "dev1", "productionUsername": PROD})

    link = member.get(FRONTDOOR, target="dev1", redirect="false").json()["frontDoorUrl"]

    assert _opens(salesforce, link, sandbox)


def test_a_pool_instance_is_opened_with_its_repository(owner, salesforce, sandbox):
    an_instance(owner)

    link = owner.get(FRONTDOOR, target="DEV1", repository=REPOSITORY, redirect="false").json()["frontDoorUrl"]

    assert _opens(salesforce, link, sandbox)
    assert PoolInstance.objects.get().org_id == sandbox.org_id


def test_a_sandbox_on_demand_is_opened(member, salesforce, sandbox):
    for query in ({"prodOrg": PROD}, {}):
        link = member.get(FRONTDOOR, target="dev1", redirect="false", **query).json()["frontDoorUrl"]
        assert _opens(salesforce, link, sandbox)


def test_a_scratch_org_on_demand_is_opened(member, salesforce, production):
    scratch = a_scratch_org(salesforce, production)

    link = member.get(FRONTDOOR, target="s1@acme.example", redirect="false").json()["frontDoorUrl"]

    assert _opens(salesforce, link, scratch)


def test_a_registered_org_comes_before_a_pool_instance_of_its_name(member, owner, salesforce, production, sandbox):
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    PoolInstance.objects.create(repository=REPOSITORY, pool_tag="x", name="dev1", type="SANDBOX", status="EXPIRED")

    answer = member.get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")

    assert answer.json()["username"] == "ci@acme.example.dev1"


def test_a_pool_is_not_looked_at_without_its_repository(member, owner, salesforce, sandbox):
    an_instance(owner)

    without = member.get(FRONTDOOR, target="dev1", redirect="false")
    elsewhere = member.get(FRONTDOOR, target="dev1", repository="acme/other", redirect="false")
    there = member.get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")

    assert (without.status_code, elsewhere.status_code) == (200, 200)  # both by the production org
    assert _told(there) == (403, "POOL_NOT_ASSIGNED")


def test_namesakes_are_told_apart_by_their_production_org(member, owner, salesforce, sandbox):
    other = a_production_org(owner, salesforce, "other@acme.example")
    namesake = salesforce.add_sandbox(other, "dev1")
    for org in (sandbox, namesake):
        owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url()})

    ambiguous = member.get(FRONTDOOR, target="dev1")
    link = member.get(FRONTDOOR, target="dev1", prodOrg="other@acme.example", redirect="false").json()["frontDoorUrl"]

    assert _told(ambiguous) == (409, "AMBIGUOUS_SANDBOX")
    assert _opens(salesforce, link, namesake)


def test_nothing_of_that_name_is_404(member, production):
    assert _told(member.get(FRONTDOOR, target="nope")) == (404, "SANDBOX_NOT_FOUND")
    assert _told(member.get(FRONTDOOR, target="nobody@acme.example")) == (404, "SCRATCH_ORG_NOT_FOUND")
    for name in ("no.such.name", "x'y@acme.example", "a@b@c.example"):
        assert _told(member.get(FRONTDOOR, target=name)) == (400, "INVALID_TARGET")


# --- Who may -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("redirect", ["true", "false"])
def test_members_stay_out_of_production_orgs_and_dev_hubs(redirect, member, salesforce, production):
    answer = member.get(FRONTDOOR, target=PROD, redirect=redirect)

    assert _told(answer) == NOT_ALLOWED
    assert not salesforce.calls


def test_members_stay_out_of_a_sandbox_that_is_a_dev_hub(owner, member, salesforce):
    org = an_org(salesforce, "hub@acme.example", kind="sandbox", is_dev_hub=True)
    owner.post(REGISTER, {"sfdxAuthUrl": org.auth_url(), "isDevHub": True})

    assert _told(member.get(FRONTDOOR, target="hub@acme.example")) == NOT_ALLOWED


def test_members_come_in_where_an_owner_has_let_them(member, salesforce, production):
    SalesforceOrg.objects.filter(username=PROD).update(member_frontdoor=True)

    link = member.get(FRONTDOOR, target=PROD, redirect="false").json()["frontDoorUrl"]

    assert _opens(salesforce, link, production)


@pytest.mark.parametrize("role", ["application", "owner"])
def test_owners_and_applications_open_production_orgs(role, request, salesforce, production):
    link = request.getfixturevalue(role).get(FRONTDOOR, target=PROD, redirect="false").json()["frontDoorUrl"]

    assert _opens(salesforce, link, production)


@pytest.mark.parametrize("role", ["member", "application", "owner"])
@pytest.mark.parametrize(
    ("status", "member_told", "others_told"),
    [
        ("ASSIGNED", 200, 200),
        ("AVAILABLE", (403, "POOL_NOT_ASSIGNED"), 200),
        ("PROVISIONING", (503, "POOL_INSTANCE_PROVISIONING"), (503, "POOL_INSTANCE_PROVISIONING")),
        ("EXPIRED", (410, "POOL_INSTANCE_EXPIRED"), (410, "POOL_INSTANCE_EXPIRED")),
    ],
)
def test_who_may_open_a_pool_instance(role, status, member_told, others_told, request, owner, sandbox):
    an_instance(owner)
    PoolInstance.objects.update(status=status, assignment_id="pr-1")
    expected = member_told if role == "member" else others_told

    answer = request.getfixturevalue(role).get(FRONTDOOR, target="dev1", repository=REPOSITORY, redirect="false")

    assert (answer.status_code if expected == 200 else _told(answer)) == expected
    if answer.status_code == 503:
        assert answer.headers["Retry-After"] == "60"


def test_a_pool_is_no_way_around_the_policy(member, owner, salesforce, production):
    PoolInstance.objects.create(
        repository=REPOSITORY,
        pool_tag="x",
        name="sneaky",
        type="SCRATCH_ORG",
        status="ASSIGNED",
        assignment_id="pr-1",
        username=PROD,
    )

    assert _told(member.get(FRONTDOOR, target="sneaky", repository=REPOSITORY)) == NOT_ALLOWED


def test_nor_is_a_pool_with_a_key_of_its_own(member, owner, salesforce, sandbox):
    owner.post(POOLS, {**POOL, "name": "dev1", "type": "SANDBOX", "sfdxAuthUrl": sandbox.auth_url()})
    PoolInstance.objects.update(status="ASSIGNED", assignment_id="pr-1", name="other")
    owner.post(REGISTER, {"sfdxAuthUrl": sandbox.auth_url()})
    SalesforceOrg.objects.filter(username="ci@acme.example.dev1").update(is_dev_hub=True)

    assert _told(member.get(FRONTDOOR, target="other", repository=REPOSITORY)) == NOT_ALLOWED


# --- How it answers --------------------------------------------------------------------------------------


def test_it_redirects_unless_told_otherwise(member, salesforce, sandbox):
    answer = member.get(FRONTDOOR, target="dev1")

    assert answer.status_code == 302
    assert _opens(salesforce, answer.headers["Location"], sandbox)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "sid=" not in answer.headers["Location"]


def test_each_request_has_a_link_of_its_own(member, sandbox):
    links = {member.get(FRONTDOOR, target="dev1", redirect="false").json()["frontDoorUrl"] for _ in range(3)}

    assert len(links) == 3


@pytest.mark.parametrize("target", ["dev1", PROD])
def test_head_mints_nothing(target, owner, salesforce, sandbox):
    answer = owner.head(FRONTDOOR, target=target)

    assert (answer.status_code, answer.content) == (200, b"")
    assert not salesforce.calls


def test_head_tells_a_member_what_he_may_not(member, production):
    assert member.head(FRONTDOOR, target=PROD).status_code == 403


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_a_prefetch_mints_nothing(header, owner, salesforce, sandbox):
    answer = owner.send("GET", FRONTDOOR, query={"target": "dev1"}, headers={header: "prefetch;prerender"})

    assert answer.status_code == 204
    assert not salesforce.calls


def test_a_page_of_the_org_is_opened(member, salesforce, sandbox):
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


def test_a_path_that_leads_elsewhere_is_refused(member, salesforce, sandbox, each):
    for leads_to in ELSEWHERE:
        with each(leads_to[:40]):
            answer = member.get(FRONTDOOR, target="dev1", path=leads_to)

            assert _told(answer) == (400, "VALIDATION_FAILED")
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
    {"target": "dev1", "repository": "a/b/c/d"},
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


# --- Trouble ---------------------------------------------------------------------------------------------


def test_a_session_that_ended_is_renewed_once(owner, salesforce, production):
    salesforce.inject(Fault.status(403, b"Bad_OAuth_Token"), path="/services/oauth2/singleaccess")

    answer = owner.get(FRONTDOOR, target=PROD, redirect="false")

    assert answer.status_code == 200, answer
    assert salesforce.refreshes() == 2


def test_a_user_who_may_not_log_in_by_browser_is_told(owner, salesforce, production):
    production.users[0].api_only = True

    answer = owner.get(FRONTDOOR, target=PROD)

    assert _told(answer) == (502, "FRONTDOOR_REFUSED")
    assert "API-only" in answer.json()["action"]
    assert salesforce.refreshes() == 2


@pytest.mark.parametrize("link", ["https://evil.example/?otp=1", "https://ci.my.salesforce.com@evil.example/"])
def test_a_link_to_a_foreign_host_is_not_passed_on(link, owner, salesforce, production):
    salesforce.inject(Fault.fields(frontdoor_uri=link), path="/services/oauth2/singleaccess")

    answer = owner.get(FRONTDOOR, target=PROD)

    assert _told(answer) == (502, "UPSTREAM_UNTRUSTED_URL")
    assert "evil.example" not in answer.text


def test_no_link_stands_in_log_or_audit(member, sandbox, caplog):
    link = member.get(FRONTDOOR, target="dev1", redirect="false").json()["frontDoorUrl"]

    rows = AuditEvent.objects.filter(action="frontdoor.handed_out")
    assert [(row.outcome, row.org_username) for row in rows] == [("granted", "ci@acme.example.dev1")]
    code = parse_qs(urlsplit(link).query)["otp"][0]
    assert code not in str([vars(row) for row in AuditEvent.objects.all()])
    assert code not in caplog.text
