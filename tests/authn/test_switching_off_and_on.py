"""Deactivating a user ends all sessions, tokens and links; reactivating restores none."""

from typing import Any

import pytest

from authn.models import User
from authn.pages.password_links import password_link
from authn.principals import system
from authn.roles import Role
from authn.users import update_user
from tests.authn.browser_logins import CALLBACK, EMAIL, ORGS, REFRESH, a_pair, at_the_page, by_pair, is_in
from tests.authn.servicestack.wire import Wire
from tests.conftest import PASSWORD
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor

pytestmark = [pytest.mark.database, pytest.mark.django_db]
BY = system("tests")


@pytest.fixture
def olga(a_person) -> User:
    a_person("second@acme.example", Role.OWNER)
    return a_person(EMAIL, Role.OWNER)


def _page_session() -> Any:
    visitor = at_the_page()
    return lambda: is_in(visitor)


def _token_session() -> Any:
    visitor = by_pair(a_pair())
    return lambda: is_in(visitor)


def _access_token() -> Any:
    caller = Caller(a_pair()["access_token"])
    return lambda: caller.get(ORGS).status_code == 200


def _refresh_token() -> Any:
    token = a_pair()["refresh_token"]
    return lambda: Caller().post(REFRESH, {"refresh_token": token}).status_code == 200


def _callback_by_old_token() -> Any:
    token = a_pair()["access_token"]
    return lambda: Caller().post(CALLBACK, {"access_token": token}).status_code == 200


def _password_link() -> Any:
    link = password_link(User.objects.get(email=EMAIL), by=BY).removeprefix("http://localhost:8000")
    return lambda: Visitor().get(link).status_code == 200


def _servicestack(*, use: str) -> Any:
    wire = Wire()
    wish = {"UserName": EMAIL, "Password": PASSWORD, "UseTokenCookie": use == "token cookies"}
    login = wire.post("/auth/credentials", wish).json()
    uses = {
        "session": wire.who,
        "token cookies": wire.who,
        "bearer": lambda: Wire().who(Authorization=f"Bearer {login['bearerToken']}"),
        "refresh token": lambda: Wire().post("/access-token", {"refreshToken": login["refreshToken"]}).status,
    }
    return lambda: uses[use]() == 200


HELD = {
    "session of a page": _page_session,
    "session of tokens": _token_session,
    "access token": _access_token,
    "refresh token": _refresh_token,
    "access token for a new session": _callback_by_old_token,
    "password link": _password_link,
    "ServiceStack session": lambda: _servicestack(use="session"),
    "ServiceStack token cookies": lambda: _servicestack(use="token cookies"),
    "ServiceStack bearer": lambda: _servicestack(use="bearer"),
    "ServiceStack refresh token": lambda: _servicestack(use="refresh token"),
}


@pytest.mark.parametrize("hold", HELD.values(), ids=HELD)
def test_reactivating_a_user_restores_no_session_token_or_link(hold, olga):
    assert hold()(), "It works before."
    still_works = hold()

    update_user(olga, by=BY, is_active=False)
    assert not still_works()
    update_user(olga, by=BY, is_active=True)

    assert not still_works()
    assert hold()(), "What is given out afterwards works."
