"""An owner walks through the console in a real browser: orgs, users, tokens, audit."""

import csv
import json
from pathlib import Path

import pytest

from authn import tokens
from authn.models import AuditEvent
from authn.principals import system
from orgs.models import SalesforceOrg
from orgs.registration import Registration, register
from tests.browser.walks import OWNER, create_users, errors_at, log_in, says
from tests.orgs.factories import an_org
from tests.support.api_client import Caller

pytestmark = pytest.mark.django_db(transaction=True)
BY = system("tests")


@pytest.fixture
def console(watched, live_server, salesforce):
    """The dashboard, with an owner before it."""
    create_users()
    log_in(watched, live_server.url)
    watched.wait_for_url(f"{live_server.url}/console/")
    return watched


def _registered(salesforce, username: str, **wishes) -> SalesforceOrg:
    world = an_org(salesforce, username, is_dev_hub=bool(wishes.get("is_dev_hub")))
    return register(Registration(sfdx_auth_url=world.auth_url(), **wishes), by=BY)


def _open(console, part: str) -> None:
    console.get_by_role("navigation", name="Console").get_by_role("link", name=part).click()


def _click(console, name: str) -> None:
    console.locator("main").get_by_role("button", name=name, exact=True).click()


def _follow(console, name: str) -> None:
    console.locator("main").get_by_role("link", name=name, exact=True).click()


def test_an_owner_registers_an_org_by_pasting(console, salesforce):
    url = an_org(salesforce, "new@acme.example", is_dev_hub=True).auth_url()
    _open(console, "Salesforce orgs")
    _follow(console, "Register an org")
    console.get_by_label("Auth URL").fill(json.dumps({"status": 0, "result": {"sfdxAuthUrl": url}}))
    console.get_by_label("DevHub", exact=True).check()
    console.get_by_role("textbox", name="Metadata").fill('{"team": "core", "tier": 1}')
    says(console, "tier")
    _click(console, "Register")

    says(console, "new@acme.example was registered.")
    says(console, "Healthy")
    assert SalesforceOrg.objects.get().metadata == {"team": "core", "tier": 1}
    assert AuditEvent.objects.get(action="org.registered").actor_name == OWNER


def test_a_revoked_auth_url_is_an_error_at_the_field(console, salesforce):
    world = an_org(salesforce, "dead@acme.example")
    url = world.auth_url()
    world.revoke_all()
    _open(console, "Salesforce orgs")
    _follow(console, "Register an org")
    console.get_by_label("Auth URL").fill(url)
    _click(console, "Register")

    assert "Salesforce no longer accepts" in errors_at(console, "Auth URL")
    assert "sf org login web" in errors_at(console, "Auth URL")
    assert console.get_by_label("Auth URL").input_value() == ""
    assert url.split(":")[3].split("@")[0] not in console.content()
    assert not SalesforceOrg.objects.exists()


def test_the_default_dev_hub_is_moved(console, salesforce):
    _registered(salesforce, "one@acme.example", is_dev_hub=True, is_default=True)
    _registered(salesforce, "two@acme.example", is_dev_hub=True)
    _open(console, "Salesforce orgs")
    console.get_by_role("row", name="two@acme.example").get_by_role("checkbox").check()
    console.get_by_role("combobox").select_option("Make default DevHub")
    _click(console, "Go")

    says(console, "two@acme.example is now the default DevHub.")
    assert "Default DevHub" in console.get_by_role("row", name="two@acme.example").inner_text()
    assert "Default DevHub" not in console.get_by_role("row", name="one@acme.example").inner_text()

    _follow(console, "one@acme.example")
    _click(console, "Make default DevHub")
    says(console, "one@acme.example is now the default DevHub.")


def test_metadata_is_checked_and_shown_key_by_key(console, salesforce):
    org = _registered(salesforce, "ci@acme.example", metadata={"team": "core"})
    _open(console, "Salesforce orgs")
    _follow(console, "ci@acme.example")
    rows = console.locator("[data-metadata-rows]")
    assert "team" in rows.inner_text()

    console.get_by_role("textbox", name="Metadata").fill('{"team": ')
    assert "This is not valid JSON" in rows.inner_text()
    _click(console, "Save")
    assert "JSON" in errors_at(console, "Metadata (optional)")

    console.get_by_role("textbox", name="Metadata").fill('{"team": "<img src=x onerror=alert(1)>", "tier": 2}')
    assert "<img src=x" in rows.inner_text()
    console.get_by_label("Open to members").check()
    _click(console, "Save")

    says(console, "ci@acme.example was updated.")
    org.refresh_from_db()
    assert org.metadata["tier"] == 2
    assert org.member_frontdoor


def test_a_connection_is_tested_alive_and_dead(console, salesforce):
    _registered(salesforce, "ci@acme.example")
    _open(console, "Salesforce orgs")
    _follow(console, "ci@acme.example")
    _click(console, "Test connection")
    says(console, "ci@acme.example: the connection works.")

    salesforce.orgs[0].revoke_all()
    _click(console, "Test connection")

    says(console, "ci@acme.example: Salesforce no longer accepts the refresh token of this org.")
    says(console, "Expired")
    console.get_by_role("link", name="Dashboard").first.click()
    assert "ci@acme.example" in console.get_by_role("region", name="Needs attention").inner_text()


def test_several_connections_are_tested_at_once(console, salesforce):
    for name in ("one", "two"):
        _registered(salesforce, f"{name}@acme.example")
    salesforce.orgs[1].revoke_all()
    _open(console, "Salesforce orgs")
    # One by one: the box for all works when Django's script is there, which a fast click can precede.
    for name in ("one", "two"):
        console.get_by_role("checkbox", name=f"Select this object for an action - {name}@acme.example").check()
    console.get_by_role("combobox").select_option("Test connection")
    _click(console, "Go")

    says(console, "one@acme.example: the connection works.")
    says(console, "two@acme.example: Salesforce no longer accepts")


def test_an_org_is_deleted_with_its_child_and_revoked(console, salesforce):
    parent = _registered(salesforce, "prod@acme.example")
    child = _registered(salesforce, "dev1@acme.example")
    SalesforceOrg.objects.filter(pk=child.pk).update(parent=parent)
    _open(console, "Salesforce orgs")
    _follow(console, "prod@acme.example")
    _follow(console, "Delete")
    says(console, "dev1@acme.example")
    console.get_by_label("Also delete the orgs that depend on them").check()
    console.get_by_label("Revoke the refresh tokens at Salesforce first").check()
    _click(console, "Delete")

    says(console, "prod@acme.example was deleted.")
    assert not SalesforceOrg.objects.exists()
    assert [call for call in salesforce.calls if call.path.endswith("/revoke")]


def test_a_member_is_invited_by_a_link_that_can_be_copied(console, live_server, browser, context, watcher):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    _open(console, "Users")
    _follow(console, "Invite a user")
    console.get_by_label("E-mail").fill("ines@acme.example")
    _click(console, "Invite")
    link = console.locator("#secret").inner_text()
    _click(console, "Copy")
    says(console, "Copied")
    assert console.evaluate("navigator.clipboard.readText()") == link

    own_browser = browser.new_context()  # The invited user's.
    watcher.watch(own_browser)
    elsewhere = own_browser.new_page()
    elsewhere.goto(link.replace("http://localhost:8000", live_server.url))
    elsewhere.get_by_label("New password", exact=True).fill("a-brand-new-passphrase")
    elsewhere.get_by_label("New password again").fill("a-brand-new-passphrase")
    elsewhere.get_by_role("button", name="Set password").click()
    log_in(elsewhere, live_server.url, "ines@acme.example", "a-brand-new-passphrase", path="/password")
    says(elsewhere, "For ines@acme.example")
    elsewhere.close()


def test_a_token_is_made_used_and_revoked(console):
    _open(console, "Application tokens")
    _follow(console, "Create a token")
    console.get_by_label("Name").fill("nightly")
    _click(console, "Create token")
    value = console.locator("#secret").inner_text()
    says(console, "it is shown only once")
    assert Caller(value).get("/sfp/api/auth/salesforce/orgs").status_code == 200

    _follow(console, "Done")
    assert value not in console.content()
    _follow(console, "nightly")
    _follow(console, "Revoke")
    _click(console, "Revoke")

    says(console, "nightly was revoked.")
    assert Caller(value).get("/sfp/api/auth/salesforce/orgs").status_code == 401


def test_the_audit_is_read_filtered_and_exported(console, tmp_path: Path):
    tokens.issue(name="=HYPERLINK(1)", days=1, by=system("=evil"))
    _open(console, "Audit events")
    _follow(console, "application_token.created")
    says(console, "=evil")
    assert console.locator("#result_list tbody tr").count() == 1
    with console.expect_download() as download:
        _follow(console, "Export CSV")
    rows = list(csv.reader((download.value.path()).read_text().splitlines()))
    assert [row[6] for row in rows] == ["actor_name", "'=evil"]

    console.locator("#result_list tbody th a").first.click()
    says(console, "=HYPERLINK(1)")
    assert console.locator("main form").count() == 0


def test_a_user_is_deactivated_and_the_last_owner_stays(console):
    _open(console, "Users")
    _follow(console, "member@acme.example")
    console.get_by_label("Active").uncheck()
    _click(console, "Save")
    says(console, "member@acme.example was updated.")
    says(console, "Deactivated")

    _follow(console, OWNER)
    console.get_by_label("Member:").check()
    _click(console, "Save")
    says(console, "This is the last active owner.")


def test_the_dashboard_draws_its_charts_from_the_audit(console, salesforce, live_server):
    _registered(salesforce, "ci@acme.example")
    _row, value = tokens.issue(name="nightly", days=1, by=BY)
    for _ in range(3):
        Caller(value).post("/sfp/api/auth/salesforce/access-token", username="ci@acme.example")

    console.goto(f"{live_server.url}/console/")

    chart = console.get_by_role("img", name="Access tokens per day")
    assert chart.locator("rect").count() == 14
    heights = chart.locator("rect").evaluate_all("bars => bars.map((bar) => Number(bar.getAttribute('height')))")
    assert heights[-1] > 0
    assert not any(heights[:-1])
    console.get_by_text("3 in the last 14 days, as a table").click()
    assert console.get_by_role("table").filter(has_text="Day (UTC)").is_visible()
    principals = console.get_by_role("region", name="Access tokens per principal")
    assert principals.get_by_role("row", name="nightly").get_by_role("cell", name="3").is_visible()
    health = console.get_by_role("region", name="Orgs by health")
    health.get_by_role("link", name="Healthy").click()
    says(console, "ci@acme.example")
