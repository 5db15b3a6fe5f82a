"""A continue link, the home page and the org behind it, in a real browser."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from authn.models import User
from authn.principals import system
from authn.roles import Role
from orgs.credentials import concurrency
from orgs.models import SalesforceOrg
from orgs.registration import Registration, register
from orgs.salesforce.emulator import Emulator
from sandboxes.models import PoolInstance
from tests.browser.walks import MEMBER, OWNER, create_users, log_in, says
from tests.browser.watching import Watcher
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
PROD = "ci@acme.example"
CONTINUE = "/sfp/api/auth/continue?action=frontDoorUrl&params=targetOrg:"
BY = system("tests")


@pytest.fixture
def world(settings):
    """An emulated Salesforce on an address of its own, as the demo's is: links lead to it."""
    emulator = Emulator()
    concurrency._client.cache_clear()
    with emulator.serve() as server:
        emulator.gateway = server.url.replace("127.0.0.1", "localhost")
        settings.SALESFORCE_GATEWAY, settings.DEMO = emulator.gateway, True
        yield emulator


@pytest.fixture
def home(live_server, world, settings):
    """A desk with a production org, a registered sandbox, one that is not, and a pool instance."""
    settings.PUBLIC_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    create_users()
    production = world.add_org("acme.my.salesforce.com", username=PROD, name="Acme", is_dev_hub=True)
    parent = register(Registration(sfdx_auth_url=production.auth_url(), is_dev_hub=True), by=BY)
    sandboxes = {name: world.add_sandbox(production, name) for name in ("dev1", "qa", "uat")}
    register(Registration(sfdx_auth_url=sandboxes["qa"].auth_url(), metadata={"team": "core"}), by=BY)
    PoolInstance.objects.create(
        repository="acme/app",
        pool_tag="features",
        name="uat",
        type="SANDBOX",
        status="ASSIGNED",
        assignment_id="pr-7",
        assigned_to_email=MEMBER,
        expires_at=timezone.now() + timedelta(hours=5),
        parent=parent,
    )
    return live_server.url


@pytest.fixture
def watcher(context, home, world):
    """Lets the pages of the walk go to the desk and to the emulated orgs, and complain of nothing."""
    watcher = Watcher(home, world.gateway, world.gateway.replace("localhost", "127.0.0.1"))
    watcher.watch(context)
    yield watcher
    assert watcher.complaints == []


@pytest.fixture
def traveller(page, watcher):
    return page


def _landed(page, org, username):
    page.wait_for_url("**/lightning/landed*")
    table = page.text_content("table")
    assert org.host in table
    assert username in table


def _org(world, name):
    return next(org for org in world.orgs if org.sandbox_name == name)


def test_a_signed_out_developer_logs_in_and_lands_in_the_org(traveller, home, world):
    traveller.goto(f"{home}{CONTINUE}dev1,repository:acme/app")
    says(traveller, "dev1")
    says(traveller, "acme/app")

    traveller.get_by_label("E-mail").fill(MEMBER)
    traveller.get_by_label("Password").fill(PASSWORD)
    traveller.get_by_role("button", name="Log in and continue").click()

    _landed(traveller, _org(world, "dev1"), f"{PROD}.dev1")


def test_a_signed_in_developer_sees_no_form(traveller, home, world):
    log_in(traveller, home, MEMBER)
    traveller.wait_for_url(f"{home}/")

    traveller.goto(f"{home}{CONTINUE}dev1", wait_until="commit")

    _landed(traveller, _org(world, "dev1"), f"{PROD}.dev1")
    traveller.go_back()  # The page with the link that worked once is not in the history.
    assert "otp=" not in traveller.url


def test_a_wrong_password_stays_with_what_will_be_opened(traveller, home):
    traveller.goto(f"{home}{CONTINUE}dev1")
    traveller.get_by_label("E-mail").fill(MEMBER)
    traveller.get_by_label("Password").fill("wrong")
    traveller.get_by_role("button", name="Log in and continue").click()

    says(traveller, "Incorrect e-mail or password")
    says(traveller, "dev1")


def test_an_unknown_action_is_a_page_that_says_so(traveller, watcher, home):
    watcher.expect(400)

    traveller.goto(f"{home}/sfp/api/auth/continue?action=deleteEverything&params=targetOrg:dev1")

    says(traveller, "an unknown action")


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [(PROD, 403, "Members may not open"), ("nope", 404, "No sandbox"), ("x@acme.example", 404, "No scratch org")],
)
def test_an_org_that_cannot_be_opened_shows_the_reason(target, status, text, traveller, watcher, home):
    watcher.expect(status)
    log_in(traveller, home, MEMBER)
    traveller.wait_for_url(f"{home}/")

    traveller.goto(f"{home}{CONTINUE}{target}", wait_until="commit")

    says(traveller, text)
    says(traveller, "Go to the start page")


def test_without_scripts_it_works_as_well(browser, watcher, home, world):
    context = browser.new_context(java_script_enabled=False)
    watcher.watch(context)
    page = context.new_page()
    page.goto(f"{home}{CONTINUE}dev1")
    page.get_by_label("E-mail").fill(MEMBER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in and continue").click()
    page.get_by_role("button", name="Continue").click()

    _landed(page, _org(world, "dev1"), f"{PROD}.dev1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_these_pages_and_they_fit_a_phone(scheme, traveller, watcher, home):
    watcher.expect(400, 403)
    traveller.emulate_media(color_scheme=scheme)
    traveller.set_viewport_size({"width": 360, "height": 740})
    # So that the pages that go on by themselves stay to be looked at.
    traveller.route("**/continue.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    found = {}

    def look(what: str, path: str = "") -> None:
        if path:
            traveller.goto(home + path)
        traveller.wait_for_load_state()  # Text may be there before the style sheet, whose colours axe judges.
        found[what] = Axe().run(traveller).response["violations"]
        assert traveller.evaluate("document.documentElement.scrollWidth") <= 360, what

    look("a continue link, logged out", f"{CONTINUE}dev1,repository:acme/app")
    log_in(traveller, home, MEMBER)
    traveller.wait_for_url(f"{home}/")
    look("home of a member")
    look("nothing found", "/?q=nothing")
    look("a continue link, logged in", f"{CONTINUE}dev1,repository:acme/app")
    traveller.get_by_role("button", name="Continue").click()
    says(traveller, "Opening the org")
    look("the page that leads to the org")
    traveller.goto(f"{home}{CONTINUE}{PROD}")
    traveller.get_by_role("button", name="Continue").click()
    says(traveller, "Members may not open")
    look("an org that is not for members")
    look("a link that cannot be", "/sfp/api/auth/continue?action=x&params=y")
    look("a name that cannot be", "/open?name=a+b")
    traveller.context.clear_cookies()
    log_in(traveller, home, OWNER, path="/login?next=/")
    traveller.wait_for_url(f"{home}/")
    look("home of an owner")

    assert {what: violations for what, violations in found.items() if violations} == {}


# --- The home page -------------------------------------------------------------------------------------


def test_a_member_finds_opens_and_copies(traveller, home, world):
    traveller.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log_in(traveller, home, MEMBER)
    says(traveller, "Your orgs")
    assert traveller.get_by_text(PROD, exact=True).count() == 0

    traveller.get_by_label("Search").press_sequentially("CORE qa")
    says(traveller, "1 org found")
    assert traveller.locator(".org-row").count() == 1
    with traveller.context.expect_page() as opened:
        traveller.get_by_role("button", name=f"Open {PROD}.qa in a new tab").click()
    _landed(opened.value, _org(world, "qa"), f"{PROD}.qa")
    traveller.get_by_role("button", name=f"Copy a link to {PROD}.qa").click()
    says(traveller, "Copied")

    copied = traveller.evaluate("navigator.clipboard.readText()")
    assert copied == f"{home}{CONTINUE}{PROD}.qa"


def test_a_member_sees_when_an_instance_expires_and_opens_it(traveller, home, world):
    log_in(traveller, home, MEMBER)
    says(traveller, "Yours")
    says(traveller, "(in 4")

    with traveller.context.expect_page() as opened:
        traveller.get_by_role("button", name="Open uat in a new tab").click()

    _landed(opened.value, _org(world, "uat"), f"{PROD}.uat")


def test_a_member_opens_a_sandbox_by_its_name(traveller, home, world):
    log_in(traveller, home, MEMBER)
    traveller.get_by_label("Sandbox name or scratch org username").fill("dev1")

    with traveller.context.expect_page() as opened:
        traveller.get_by_role("button", name="Open in a new tab", exact=True).click()

    _landed(opened.value, _org(world, "dev1"), f"{PROD}.dev1")


def test_an_invalid_name_shows_the_reason(traveller, watcher, home):
    watcher.expect(400)
    log_in(traveller, home, MEMBER)
    traveller.wait_for_url(f"{home}/")

    traveller.goto(f"{home}/open?name=<script>alert(1)</script>")

    says(traveller, "Not a valid org name")


def test_an_owner_sees_everything_and_a_way_into_the_console(traveller, home):
    log_in(traveller, home, OWNER)
    traveller.goto(f"{home}/")

    says(traveller, PROD)
    traveller.get_by_role("link", name="Console").click()
    traveller.wait_for_url(f"{home}/console/")


def test_an_owner_opens_an_org_and_a_pool_instance_from_the_console(traveller, home, world):
    log_in(traveller, home, OWNER)
    org, instance = SalesforceOrg.objects.get(username=PROD), PoolInstance.objects.get()
    landed = {
        f"orgs/salesforceorg/{org.pk}": (next(each for each in world.orgs if each.username == PROD), PROD),
        f"sandboxes/poolinstance/{instance.pk}": (_org(world, "uat"), f"{PROD}.uat"),
    }

    for part, (where, username) in landed.items():
        traveller.goto(f"{home}/console/{part}/change/")
        with traveller.context.expect_page() as opened:
            traveller.get_by_role("button", name="Open in a new tab").click()
        _landed(opened.value, where, username)


def test_an_anonymous_user_is_redirected_to_the_log_in(traveller, home):
    traveller.goto(f"{home}/")

    assert traveller.url == f"{home}/login?next=/"


def test_an_empty_home_page_says_what_to_do(traveller, home):
    User.objects.create_user("nora@acme.example", PASSWORD, role=Role.MEMBER)
    log_in(traveller, home, "nora@acme.example")
    traveller.get_by_label("Search").fill("no such thing")

    says(traveller, "No org matches")
