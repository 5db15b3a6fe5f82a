"""Owners end the sessions of a user, and see and lift the locks of a name, in the console."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authn.models import AuditEvent, User
from authn.roles import Role
from tests.support.browser_client import Visitor, text_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]
USERS = "/console/authn/user/"
LOGIN = "/sfp/api/auth/admin/login"
ORGS = "/sfp/api/auth/salesforce/orgs"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def console(a_person) -> Visitor:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER))


@pytest.fixture
def mira(a_person) -> User:
    return a_person("mira@acme.example", password=PASSWORD)


def _page(user: User) -> str:
    return f"{USERS}{user.pk}/"


def test_every_session_of_a_user_is_ended(console, mira, anonymous):
    body = anonymous.post(LOGIN, {"email": "mira@acme.example", "password": PASSWORD}).json()
    browser = Visitor().sign_in(mira)
    assert "Active log-ins" in text_of(console.get(f"{_page(mira)}change/"))

    console.post(f"{_page(mira)}end-sessions/", form_at=f"{_page(mira)}change/")

    assert "2 log-ins of mira@acme.example ended." in text_of(console.get(f"{_page(mira)}change/"))
    anonymous.bearer = body["access_token"]
    assert anonymous.get(ORGS).status_code == 401
    assert anonymous.post("/sfp/api/auth/refresh", {"refresh_token": body["refresh_token"]}).status_code == 401
    assert browser.get("/")["Location"].startswith("/login")
    mira.refresh_from_db()
    assert mira.is_active
    event = AuditEvent.objects.filter(actor_name="olga@acme.example").latest("pk")
    assert (event.action, event.details["ended_logins"]) == ("person.changed", 2)


def test_a_locked_user_is_shown_and_unlocked(console, mira, anonymous):
    right = {"email": "mira@acme.example", "password": PASSWORD}
    for _ in range(5):
        anonymous.post(LOGIN, right | {"password": "wrong"})
    assert anonymous.post(LOGIN, right).status_code == 429
    assert "Locked for an address" in text_of(console.get(USERS))
    assert "Locked for 127.0.0.0/24 until" in text_of(console.get(f"{_page(mira)}change/"))

    console.post(f"{_page(mira)}unlock/", form_at=f"{_page(mira)}change/")

    assert "Locked" not in text_of(console.get(USERS))
    assert anonymous.post(LOGIN, right).status_code == 200
    event = AuditEvent.objects.filter(actor_name="olga@acme.example", action="person.changed").latest("pk")
    assert event.details["lock"] == "lifted"


def test_a_user_who_is_not_locked_has_no_button_to_unlock(console, mira):
    assert "Unlock" not in text_of(console.get(f"{_page(mira)}change/"))


def test_the_locks_of_a_page_of_users_take_one_query(console, a_person):
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert console.get(USERS).status_code == 200
        return len(captured)

    console.get(USERS)
    before = statements()
    for number in range(20):
        a_person(f"user{number}@acme.example")

    assert statements() == before
