"""Every page is accessible, in light and dark, and fits a phone."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from authn import audit, tokens
from authn.models import User
from authn.pages.password_links import password_link
from authn.principals import Principal, system
from authn.roles import Role
from authn.users import add_user
from orgs.credentials.models import Credential, Health
from orgs.models import SalesforceOrg
from orgs.registration import Registration, register
from sandboxes.pools import stock
from sandboxes.pools.stock import NewInstance
from tests.browser.walks import OWNER, create_users, log_in
from tests.orgs.factories import an_org

pytestmark = pytest.mark.django_db(transaction=True)
BY = system("tests")
PHONE = {"width": 360, "height": 740}
CONSOLE = "/console/"
ORGS, POOLS = f"{CONSOLE}orgs/salesforceorg/", f"{CONSOLE}sandboxes/poolinstance/"
USERS, TOKENS, AUDIT = (f"{CONSOLE}authn/{part}/" for part in ("user", "applicationtoken", "auditevent"))


def _orgs(salesforce: Any) -> SalesforceOrg:
    """Register a DevHub, and under it an org in each state of health. Returns the DevHub."""
    for number, health in enumerate(Health):
        name = f"an.integration.user.with.a.long.name.{number}@acme.example"
        world = an_org(salesforce, name, f"org{number}.my.salesforce.com")
        org = register(Registration(sfdx_auth_url=world.auth_url(), metadata={"team": "core"}), by=BY)
        Credential.objects.filter(org=org).update(health=health, reason="USER_INACTIVE", rotates=number % 2 == 0)
    world = an_org(salesforce, "hub@acme.example", is_dev_hub=True)
    hub = register(
        Registration(sfdx_auth_url=world.auth_url(), is_dev_hub=True, is_default=True, metadata={"tier": 1}), by=BY
    )
    SalesforceOrg.objects.exclude(pk=hub.pk).update(parent=hub)
    return hub


@pytest.fixture
def filled(live_server, salesforce) -> dict[str, str]:
    """A desk with something in every list. Returns the paths of all pages by what they are."""
    create_users()
    invited = add_user(email="ines@acme.example", role=Role.MEMBER, password=None, by=BY)
    org = _orgs(salesforce)
    token, _ = tokens.issue(name="nightly", days=7, by=BY)
    nightly = Principal(kind="application", id="1", name="nightly", role=Role.APPLICATION)
    event = audit.record(audit.Action.ACCESS_TOKEN, audit.Outcome.GRANTED, by=nightly, target=org.audit_target, a=1)
    user = User.objects.get(email=OWNER)
    new = NewInstance("acme/app", "features", "dev1", "SANDBOX", parent_username="hub@acme.example")
    instance = stock.add_instance(new, by=BY)
    return {
        "the dashboard": CONSOLE,
        "orgs": ORGS,
        "orgs, filtered": f"{ORGS}?kind__exact=production&_facets=1",
        "no orgs": f"{ORGS}?q=nothing",
        "registering": f"{ORGS}add/",
        "registering a sandbox": f"{ORGS}register-sandbox/",
        "an org": f"{ORGS}{org.pk}/change/",
        "an org with an error": f"{ORGS}{SalesforceOrg.objects.order_by('pk')[0].pk}/change/",
        "deleting an org": f"{ORGS}{org.pk}/delete/",
        "pools": POOLS,
        "adding to a pool": f"{POOLS}add/",
        "a pool instance": f"{POOLS}{instance.pk}/change/",
        "taking out of a pool": f"{POOLS}{instance.pk}/delete/",
        "users": USERS,
        "inviting": f"{USERS}add/",
        "a user": f"{USERS}{user.pk}/change/",
        "tokens": TOKENS,
        "making a token": f"{TOKENS}add/",
        "a token": f"{TOKENS}{token.pk}/change/",
        "revoking a token": f"{TOKENS}{token.pk}/revoke/",
        "the audit": AUDIT,
        "an audit row": f"{AUDIT}{event.pk}/change/",
        "changing the password": "/password",
        "logging out": "/logout",
        "setting a password": password_link(invited, by=BY).removeprefix("http://localhost:8000"),
    }


def _found(page: Any) -> list[str]:
    """Return what axe finds on a page, a line each."""
    page.wait_for_load_state()  # Text may be there before the style sheet, whose colours axe judges.
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['impact']} {each['id']} at {node['target']}: {node['failureSummary']}"
        for each in violations
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(scheme, watched, live_server, filled):
    watched.emulate_media(color_scheme=scheme)
    watched.goto(f"{live_server.url}/login")
    found = {"the log-in": _found(watched)}
    log_in(watched, live_server.url)

    for name, path in filled.items():
        assert watched.goto(live_server.url + path).ok, name
        found[name] = _found(watched)

    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_pages_after_a_form(scheme, watched, live_server, filled):
    watched.emulate_media(color_scheme=scheme)
    log_in(watched, live_server.url, password="wrong")
    found = {"a wrong password": _found(watched)}
    log_in(watched, live_server.url)

    watched.goto(live_server.url + filled["registering"])
    watched.get_by_role("button", name="Register").click()
    found["a refused registration"] = _found(watched)
    watched.goto(live_server.url + filled["making a token"])
    watched.get_by_label("Name").fill("weekly")
    watched.get_by_role("button", name="Create token").click()
    found["a token, shown once"] = _found(watched)
    watched.goto(live_server.url + filled["an org"])
    watched.get_by_role("button", name="Test connection").click()
    found["a message"] = _found(watched)
    watched.goto(live_server.url + filled["deleting an org"])
    watched.get_by_role("button", name="Delete").click()
    found["a refused deletion"] = _found(watched)

    assert {name: lines for name, lines in found.items() if lines} == {}


def test_axe_finds_nothing_on_pages_of_errors(watched, watcher, live_server, filled):
    watcher.expect(404, 410)
    log_in(watched, live_server.url)

    for path in ("/nothing-here", "/set-password/00000000-0000-0000-0000-000000000000/x"):
        watched.goto(live_server.url + path)
        assert _found(watched) == []


def test_every_page_fits_a_phone(watched, live_server, filled):
    watched.set_viewport_size(PHONE)
    log_in(watched, live_server.url)
    too_wide = {}

    for name, path in filled.items():
        watched.goto(live_server.url + path)
        width = watched.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            too_wide[name] = width

    assert too_wide == {}
