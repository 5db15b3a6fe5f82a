"""Anonymous requests store no session, and their messages travel in a cookie."""

import re
from urllib.parse import urlencode

import pytest
from django.conf import settings as frozen
from django.test import Client

from authn.models import BrowserSession, LoginFamily, User
from authn.roles import Role
from tests.authn.browser_logins import EMAIL, PAGE, at_the_page
from tests.support.browser_client import Visitor, text_of
from tests.support.routes import console_paths, operations

pytestmark = pytest.mark.django_db
FIELDS = {"email": EMAIL, "password": "wrong", "current": "x", "new": "x", "again": "x", "next": "/"}


@pytest.fixture
def olga(a_person) -> User:
    a_person("second@acme.example", Role.OWNER)
    return a_person(EMAIL, Role.OWNER)


@pytest.mark.database
def test_no_request_without_a_log_in_stores_a_session(olga):
    of_the_console = [(method, path) for path in console_paths() for method in ("GET", "POST")]
    routes = {(method, re.sub("<[^>]*>", str(olga.pk), path)) for method, path in [*operations(), *of_the_console]}

    client = Client(raise_request_exception=False)
    for method, path in sorted(routes):
        client.generic(method, path, urlencode(FIELDS), "application/x-www-form-urlencoded")

    assert len(routes) > 80
    assert not BrowserSession.objects.exists()
    assert not LoginFamily.objects.exists()


def test_signing_out_without_a_log_in_stores_nothing_and_says_so_once(olga):
    visitor = Visitor()

    response = visitor.post("/logout", form_at="/login")

    assert response["Location"] == "/login"
    assert frozen.SESSION_COOKIE_NAME not in visitor.client.cookies
    assert not BrowserSession.objects.exists()
    assert "You are logged out." in text_of(visitor.get("/login"))
    assert "You are logged out." not in text_of(visitor.get("/login"))


@pytest.mark.parametrize("path", ["/login", "/logout", "/password"])
def test_a_form_that_is_refused_for_its_csrf_token_stores_nothing(path, olga):
    response = Visitor().client.post(path, FIELDS)

    assert response.status_code == 403
    assert not BrowserSession.objects.exists()


def test_messages_of_a_logged_in_user_stay_in_the_session(olga, a_person):
    visitor = at_the_page()
    max_ = a_person("max@acme.example")

    response = visitor.post(f"/console/authn/user/{max_.pk}/change/", {"role": "owner", "is_active": "on"})

    assert "messages" not in response.cookies
    assert "max@acme.example was updated." in text_of(visitor.get(PAGE))
