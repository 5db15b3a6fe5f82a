"""Usernames as Salesforce and its tools make them: what registering stores, every look-up accepts."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from authn.models import AuditEvent
from authn.roles import Role
from orgs.models import SalesforceOrg
from orgs.salesforce.soql import literal
from sandboxes.models import PoolInstance
from tests.orgs.factories import ACCESS_TOKEN, ORG, ORGS, REGISTER, TEST_CONNECTION, an_org, register
from tests.sandboxes.factories import (
    BY_NAME,
    FETCH,
    FRONTDOOR,
    POOLS,
    PROD,
    REPOSITORY,
    SANDBOX,
    SCRATCH,
    UNASSIGN,
    a_production_org,
    an_instance,
)
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
CONTINUE = "/sfp/api/auth/continue"
REAL_NAMES = [
    "jason.clark@example.com2024/11/25_12-7-57.demo",
    "user.name@hardis-scratch-po-tgci-root-develop_20220412_0604.com",
    "o'brien@acme.example",
    "first+tag@acme.example",
    "who?#{x}|y@acme.example",
    "eyjafjallajokull.ops@acme.example",  # begins like a JWT
]
# Names that no syntax here describes. Salesforce might return them all the same.
OTHER_NAMES = ["a b@acme.example", "(x)@acme.example", "a\\b@acme.example", '"q"@acme.example', "no at sign"]
SECRET = "force://PlatformCLI::5Aep861TokenOfSomebody@acme.my.salesforce.com"


def _register_all(owner, salesforce, **fields):
    for number, name in enumerate(REAL_NAMES + OTHER_NAMES):
        register(owner, an_org(salesforce, name, host=f"org{number}.my.salesforce.com", is_dev_hub=True), **fields)


@pytest.fixture
def registered(owner, salesforce):
    """Production orgs and DevHubs with these usernames."""
    _register_all(owner, salesforce, isDevHub=True)


def test_a_registered_name_is_accepted_by_every_route_of_orgs(owner, salesforce, registered, each):
    for name in REAL_NAMES + OTHER_NAMES:
        with each(name):
            assert owner.get(ORG, username=name.upper()).json()["username"] == name
            assert owner.get(ORG, username=name, authType="accessToken").status_code == 200
            assert owner.head(ORG, username=name).status_code == 200
            assert owner.patch(ORG, {"metadata": {"a": "b"}}, username=name).status_code == 200
            assert owner.post(TEST_CONNECTION, username=name).json()["isValid"] is True
            assert owner.post(ACCESS_TOKEN, username=name).status_code == 200
            url = next(org for org in salesforce.orgs if org.users[0].username == name).auth_url()
            assert owner.post(REGISTER, {"sfdxAuthUrl": url, "username": name}).status_code == 201
            assert owner.get(FRONTDOOR, target=name, redirect="false").json()["username"] == name
            assert owner.delete(ORG, username=name).status_code == 200
            assert not SalesforceOrg.objects.filter(username=name).exists()


def test_a_registered_name_is_accepted_as_a_parent(owner, salesforce, registered, each):
    for number, name in enumerate(REAL_NAMES + OTHER_NAMES):
        parent = next(org for org in salesforce.orgs if org.users[0].username == name)
        for sandbox in ("one", "two", "three"):
            salesforce.add_sandbox(parent, sandbox)
        scratch = f"s{number}@acme.example"
        salesforce.add_scratch_org(parent, username=scratch, host=f"s{number}-dev-ed.scratch.my.salesforce.com")
        with each(name):
            found = owner.post(SANDBOX, {"sandboxName": "one", "productionUsername": name})
            assert found.json()["productionOrg"]["username"] == name
            by_name = owner.post(BY_NAME, {"sandboxName": "two", "productionUsername": name})
            assert by_name.json()["parentProductionUsername"] == name
            found = owner.post(SCRATCH, {"scratchOrgUsername": scratch, "devhubUsername": name})
            assert found.json()["devhubOrg"]["username"] == name
            assert an_instance(owner, "three", parentUsername=name)["parentUsername"] == name
            assert owner.get(FRONTDOOR, target="one", prodOrg=name, redirect="false").status_code == 200


def test_every_page_of_the_list_leads_to_the_next(owner, registered):
    names, response = [], owner.get(ORGS, limit=1)
    while True:
        names += [org["username"] for org in response.json()]
        link = response.headers.get("Link")
        if link is None:
            break
        response = owner.get(ORGS, **dict(parse_qsl(urlsplit(link[1:].partition(">")[0]).query)))
        assert response.status_code == 200, (names[-1], response)

    assert sorted(names) == sorted(REAL_NAMES + OTHER_NAMES)


def test_a_page_goes_on_after_an_org_that_was_deleted_meanwhile(owner, registered):
    for name in REAL_NAMES + OTHER_NAMES:
        before = [org["username"] for org in owner.get(ORGS, after=name).json()]
        owner.delete(ORG, username=name)

        assert [org["username"] for org in owner.get(ORGS, after=name).json()] == before


def test_a_scratch_org_is_reached_by_its_username(owner, member, salesforce, each):
    hub = a_production_org(owner, salesforce)
    for number, name in enumerate(REAL_NAMES):
        salesforce.add_scratch_org(hub, username=name, host=f"s{number}-dev-ed.scratch.my.salesforce.com")
        with each(name):
            found = member.post(SCRATCH, {"scratchOrgUsername": name, "devhubUsername": PROD})
            assert found.json()["scratchOrgUsername"] == name
            assert [call.literals for call in salesforce.calls if call.path.endswith("/query")] == [1]
            assert member.get(FRONTDOOR, target=name, redirect="false").json()["username"] == name
            an_instance(owner, name, type="SCRATCH_ORG", username=name)
            pool = {"repository": REPOSITORY, "poolTag": "features", "assignmentId": "pr-1"}
            assert owner.post(FETCH, pool).json()["username"] == name
            opened = owner.get(FRONTDOOR, target=name, repository=REPOSITORY, redirect="false")
            assert opened.json()["username"] == name
            assert owner.post(UNASSIGN, {"repository": REPOSITORY, "assignmentId": "pr-1"}).status_code == 200
            assert owner.delete(POOLS, repository=REPOSITORY, name=name).status_code == 200


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_an_imported_instance_is_removed_by_its_name(owner, name):
    PoolInstance.objects.create(repository=REPOSITORY, pool_tag="x", name=name, type="SCRATCH_ORG", username=name)

    assert owner.delete(POOLS, repository=REPOSITORY, name=name).status_code == 200
    assert not PoolInstance.objects.exists()


def test_pages_open_a_registered_org_by_its_name(a_person, registered, each):
    visitor = Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))
    for name in REAL_NAMES + OTHER_NAMES:
        with each(name):
            response = visitor.get("/open", name=name)
            assert response.status_code == 302, name
            page = visitor.get(response["Location"])
            assert page.status_code == 200
            assert name in text_of(page).replace("&#x27;", "'").replace("&quot;", '"')
            org = SalesforceOrg.objects.get(username=name)
            assert visitor.get(f"/console/orgs/salesforceorg/{org.pk}/change/").status_code == 200


@pytest.mark.parametrize("name", ["a' OR Status='Active", "a\\' OR x='y", "\\", "'", "o'brien@acme.example"])
def test_a_name_is_one_literal_of_a_query(name):
    text = literal(name)
    inside, position = "", 1
    while text[position] != "'":
        position += text[position] == "\\"
        inside += text[position]
        position += 1

    assert (inside, position) == (name, len(text) - 1)


# --- Refused names ---------------------------------------------------------------------------------------

WITH_A_SECRET = {
    "org": lambda owner: owner.get(ORG, username=SECRET),
    "access-token": lambda owner: owner.post(ACCESS_TOKEN, username=SECRET),
    "orgs": lambda owner: owner.get(ORGS, after=SECRET),
    "register": lambda owner: owner.post(REGISTER, {"sfdxAuthUrl": SECRET, "username": SECRET}),
    "delete": lambda owner: owner.delete(ORG, username=SECRET),
    "sandbox": lambda owner: owner.post(SANDBOX, {"sandboxName": SECRET}),
    "production": lambda owner: owner.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": SECRET}),
    "scratch": lambda owner: owner.post(SCRATCH, {"scratchOrgUsername": SECRET}),
    "frontdoor": lambda owner: owner.get(FRONTDOOR, target=SECRET),
    "pools": lambda owner: owner.delete(POOLS, repository=REPOSITORY, name=SECRET),
}


@pytest.mark.parametrize("route", WITH_A_SECRET)
def test_an_auth_url_in_the_place_of_a_username_is_named_and_not_repeated(route, owner, salesforce, caplog):
    response = WITH_A_SECRET[route](owner)

    assert response.refusal == (400, "VALIDATION_FAILED")
    assert "This is an auth URL or a token, not a username." in response.text
    for text in (response.text, caplog.text, *map(repr, AuditEvent.objects.values_list())):
        assert "5Aep861" not in text
    assert not salesforce.calls


def test_an_auth_url_in_a_continue_link_is_named_and_not_repeated(a_person):
    visitor = Visitor().sign_in(a_person("mia@acme.example"))

    response = visitor.get(CONTINUE, action="frontDoorUrl", params=f"targetOrg:{SECRET}")

    assert response.status_code == 400
    assert "This is an auth URL or a token, not a username." in text_of(response)
    assert "5Aep861" not in text_of(response)


@pytest.mark.parametrize(
    ("path", "parameter"), [(ORG, "username"), (FRONTDOOR, "target"), (f"{FRONTDOOR}?target=dev1", "prodOrg")]
)
def test_a_plus_that_became_a_blank_is_explained_on_a_miss(path, parameter, owner, salesforce):
    response = owner.get(f"{path}{'&' if '?' in path else '?'}{parameter}=first+tag@acme.example")

    assert response.refusal == (400, "VALIDATION_FAILED")
    assert "A + in a URL means a blank: write it as %2B." in response.text


def test_a_blank_in_a_body_is_not_explained_by_a_url(owner, salesforce):
    response = owner.post(SANDBOX, {"sandboxName": "dev1", "productionUsername": "first tag@acme.example"})

    assert response.refusal == (400, "VALIDATION_FAILED")
    assert "%2B" not in response.text


def test_a_plus_that_became_a_blank_is_explained_in_a_continue_link(a_person):
    visitor = Visitor().sign_in(a_person("mia@acme.example"))

    response = visitor.get(CONTINUE, action="frontDoorUrl", params="targetOrg:first tag@acme.example")

    assert response.status_code == 400
    assert "write it as %2B" in text_of(response)


@pytest.mark.parametrize("field", ["name", "production"])
def test_an_auth_url_entered_to_open_an_org_is_named_and_not_repeated(field, a_person):
    visitor = Visitor().sign_in(a_person("mia@acme.example"))

    response = visitor.get("/open", **{"name": "dev1", field: SECRET})

    assert response.status_code == 400
    assert "This is an auth URL or a token, not a username." in text_of(response)
    assert "5Aep861" not in response.content.decode()


@pytest.mark.parametrize("field", ["name", "production"])
def test_a_plus_that_became_a_blank_is_explained_when_an_org_is_opened_by_name(field, a_person):
    visitor = Visitor().sign_in(a_person("mia@acme.example"))

    response = visitor.get("/open", **{"name": "dev1", field: "first tag@acme.example"})

    assert response.status_code == 400
    assert "write it as %2B" in text_of(response)


def test_opening_by_name_says_that_the_production_org_is_the_invalid_one(a_person):
    visitor = Visitor().sign_in(a_person("mia@acme.example"))

    response = visitor.get("/open", name="dev1", production="a:b")

    assert "The production org is invalid." in text_of(response)
    assert "\u201ca:b\u201d is neither" in text_of(response)
    assert "\u201cdev1\u201d" not in text_of(response)
