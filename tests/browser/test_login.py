"""Log-in, wrong password, lock, invitation and log-out, in a real browser."""

import pytest
from playwright.sync_api import expect

from authn.models import User
from authn.pages.password_links import password_link
from authn.principals import system
from tests.browser.walks import MEMBER, OWNER, create_users, log_in, says

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "a-brand-new-passphrase"


@pytest.fixture
def home(live_server) -> str:
    create_users()
    return str(live_server.url)


def test_an_owner_logs_in_by_keyboard_and_signs_out(watched, home):
    watched.goto(f"{home}/login")
    # A page is loaded a moment before its first field takes the keys.
    expect(watched.get_by_label("E-mail")).to_be_focused()
    watched.keyboard.type(OWNER)
    watched.keyboard.press("Tab")
    watched.keyboard.type("correct-horse-battery-staple")
    watched.keyboard.press("Enter")
    watched.wait_for_url(f"{home}/console/")

    watched.get_by_role("button", name="Log out").click()

    says(watched, "You are logged out.")
    watched.goto(f"{home}/console/")
    assert watched.url.startswith(f"{home}/login?next=")


def test_the_log_in_opens_the_requested_page(watched, home):
    log_in(watched, home, path="/console/authn/user/?q=member")

    assert watched.url == f"{home}/console/authn/user/?q=member"
    says(watched, MEMBER)


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_address_in_next_leads_to_another_host(address, watched, home):
    log_in(watched, home, MEMBER, path=f"/login?next={address}")

    watched.wait_for_url(f"{home}/")


def test_a_wrong_password_says_what_to_do(watched, home):
    log_in(watched, home, password="wrong")

    says(watched, "Incorrect e-mail or password. Check both")
    assert watched.get_by_role("alert").is_visible()
    assert watched.get_by_label("E-mail").input_value() == OWNER
    assert watched.get_by_label("Password").input_value() == ""


def test_a_locked_name_says_how_long(watched, home):
    for _ in range(5):
        log_in(watched, home, password="wrong")

    log_in(watched, home)

    says(watched, "it is locked for 15 minutes")


def test_a_member_cannot_open_the_console(watched, watcher, home):
    watcher.expect(403)
    log_in(watched, home, MEMBER)
    watched.wait_for_url(f"{home}/")

    watched.goto(f"{home}/console/")

    says(watched, "The console is for owners of this desk.")


def test_an_invited_user_sets_a_password_and_is_logged_in(watched, home):
    ines = User.objects.create_user("ines@acme.example", None)
    path = password_link(ines, by=system("tests")).removeprefix("http://localhost:8000")
    watched.goto(home + path)
    watched.get_by_label("New password", exact=True).fill("short")
    watched.get_by_label("New password again").fill("short")
    watched.get_by_role("button", name="Set password").click()
    says(watched, "too short")

    watched.get_by_label("New password", exact=True).fill(NEW)
    watched.get_by_label("New password again").fill(NEW)
    watched.get_by_role("button", name="Set password").click()

    says(watched, "Your password is set. Log in with it.")
    log_in(watched, home, "ines@acme.example", NEW, path="/login?next=/password")
    says(watched, "For ines@acme.example")


def test_a_user_changes_the_password(watched, home):
    log_in(watched, home, MEMBER, path="/login?next=/password")
    watched.get_by_label("Current password").fill("correct-horse-battery-staple")
    watched.get_by_label("New password", exact=True).fill(NEW)
    watched.get_by_label("New password again").fill(NEW)
    watched.get_by_role("button", name="Change password").click()

    says(watched, "Your password is changed. You are logged out everywhere else.")
