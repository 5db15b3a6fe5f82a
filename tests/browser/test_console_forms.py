"""Forms of the console in a real browser: two tabs, the focus after an error, the keyboard, narrow screens."""

import pytest

from authn.models import User
from authn.principals import system
from orgs.metadata import Metadata
from orgs.models import SalesforceOrg
from orgs.registration import Registration, register
from tests.browser.walks import MEMBER, create_users, log_in, says
from tests.orgs.factories import an_org

pytestmark = pytest.mark.django_db(transaction=True)
BY = system("tests")
ORGS = "/console/orgs/salesforceorg/"


@pytest.fixture
def console(watched, live_server, salesforce):
    """The dashboard, with an owner before it."""
    create_users()
    log_in(watched, live_server.url)
    watched.wait_for_url(f"{live_server.url}/console/")
    return watched


@pytest.fixture
def org(console, salesforce) -> SalesforceOrg:
    world = an_org(salesforce, "ci@acme.example", is_dev_hub=True)
    metadata: Metadata = {"environment": "x" * 300, "team": "core"}
    return register(Registration(sfdx_auth_url=world.auth_url(), metadata=metadata), by=BY)


def _focused(page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.className"))


def _save(page) -> None:
    page.locator("main").get_by_role("button", name="Save", exact=True).click()


def test_a_tab_that_was_opened_before_a_change_writes_what_was_changed_in_it(console, live_server):
    member = User.objects.get(email=MEMBER)
    page = f"{live_server.url}/console/authn/user/{member.pk}/change/"
    console.goto(page)
    other = console.context.new_page()
    other.goto(page)
    other.get_by_label("Active").uncheck()
    _save(other)
    says(other, f"{MEMBER} was updated.")

    console.get_by_label("Owner:").check()
    _save(console)

    says(console, "Meanwhile Active was switched off by owner@acme.example less than a minute ago.")
    member.refresh_from_db()
    assert (member.role, member.is_active) == ("owner", False)


def test_a_conflict_keeps_the_entry_and_the_second_save_works(console, live_server, org):
    console.goto(f"{live_server.url}{ORGS}{org.pk}/change/")
    other = console.context.new_page()
    other.goto(console.url)
    other.get_by_role("textbox", name="Metadata").fill('{"team": "payments"}')
    _save(other)
    says(other, "ci@acme.example was updated.")

    console.get_by_role("textbox", name="Metadata").fill('{"tier": 1}')
    _save(console)
    says(console, 'Metadata was changed to {"team": "payments"} by owner@acme.example less than a minute ago.')
    assert console.get_by_role("textbox", name="Metadata").input_value() == '{"tier": 1}'
    assert _focused(console) == "id_metadata"
    _save(console)

    says(console, "ci@acme.example was updated.")
    org.refresh_from_db()
    assert org.metadata == {"tier": 1}


def test_after_an_error_the_wrong_field_has_the_focus(console, live_server):
    console.goto(f"{live_server.url}{ORGS}add/")
    console.get_by_label("Auth URL").fill("nothing of the kind")
    console.locator("main").get_by_role("button", name="Register", exact=True).click()

    says(console, "This is not an auth URL of the form")
    assert _focused(console) == "id_auth_url"


def test_an_error_above_the_form_has_the_focus_and_one_background(console, live_server):
    owner = User.objects.get(role="owner")
    console.goto(f"{live_server.url}/console/authn/user/{owner.pk}/change/")
    console.get_by_label("Member:").check()
    _save(console)

    says(console, "This is the last active owner.")
    assert _focused(console) == "alert alert-bad"
    backgrounds = console.locator(".alert-bad *").evaluate_all(
        "all => all.map((each) => getComputedStyle(each).backgroundColor)"
    )
    assert set(backgrounds) == {"rgba(0, 0, 0, 0)"}


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_a_metadata_key_stays_in_one_line(width, console, live_server, org):
    console.set_viewport_size({"width": width, "height": 800})
    console.goto(f"{live_server.url}{ORGS}{org.pk}/change/")

    keys = console.locator("[data-metadata-rows] tbody th")

    heights = keys.evaluate_all(
        "all => all.map((each) => { const range = document.createRange(); range.selectNodeContents(each);"
        " return range.getClientRects().length; })"
    )
    assert keys.all_inner_texts() == ["environment", "team"]
    assert heights == [1, 1]


def test_an_org_is_changed_and_deleted_by_the_keyboard_alone(console, live_server, org):
    console.goto(f"{live_server.url}{ORGS}{org.pk}/change/")
    _tab_to(console, "Open to members")
    console.keyboard.press("Space")
    console.keyboard.press("Enter")
    says(console, "ci@acme.example was updated.")
    org.refresh_from_db()
    assert org.member_frontdoor

    _tab_to(console, "Delete")
    console.keyboard.press("Enter")
    says(console, "Delete ci@acme.example?")
    _tab_to(console, "Delete")
    console.keyboard.press("Enter")

    says(console, "ci@acme.example was deleted.")
    says(console, "Registered orgs are listed here")
    _tab_to(console, "Register an org")
    console.keyboard.press("Enter")
    console.wait_for_url(f"{live_server.url}{ORGS}add/")


def _tab_to(page, name: str) -> None:
    """Press the tab key until the control of this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(() => { const at = document.activeElement;"
            " return (at.labels?.[0] ?? at).textContent.trim().replace(/\\s+/g, ' '); })()"
        )
        if focused == name:
            return
    raise AssertionError(f"The tab key does not reach {name!r}.")
