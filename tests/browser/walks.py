"""Helpers for browser tests: users, log-in, forms and page texts."""

from typing import Any

from authn.models import User
from authn.roles import Role
from tests.conftest import PASSWORD

OWNER, MEMBER = "owner@acme.example", "member@acme.example"


def create_users() -> None:
    """Store an owner and a member."""
    User.objects.create_user(OWNER, PASSWORD, role=Role.OWNER)
    User.objects.create_user(MEMBER, PASSWORD)


def log_in(page: Any, home: str, email: str = OWNER, password: str = PASSWORD, path: str = "/login") -> None:
    """Open a path that leads to the log-in, and fill in its form."""
    page.goto(home + path)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def says(page: Any, text: str) -> None:
    """Wait until the page shows a text."""
    page.get_by_text(text).first.wait_for()


def errors_at(page: Any, label: str) -> str:
    """Return the error text of a field, found as a screen reader finds it."""
    field = page.get_by_label(label, exact=True)
    assert field.get_attribute("aria-invalid") == "true"
    ids = (field.get_attribute("aria-describedby") or "").split()
    return " ".join(page.locator(f"#{name}").inner_text() for name in ids if name.endswith("_error"))
