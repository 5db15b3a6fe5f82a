"""Sessions of browsers: a copy of the database opens none, each ends with its log-in, and strangers leave none."""

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as frozen
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from authn.actors import system
from authn.browser_sessions import SessionStore
from authn.models import AuditEvent, BrowserSession, LoginFamily, User
from authn.password_links import password_link
from authn.people import change_user, set_password
from authn.roles import Role
from tests.authn.servicestack.wire import Wire
from tests.browsing import Visitor, text_of
from tests.callers import Caller
from tests.conftest import PASSWORD
from tests.routes import console_paths, operations

pytestmark = [pytest.mark.database, pytest.mark.django_db]
BY = system("tests")
OLGA = "olga@acme.example"
LOGIN, REFRESH, CALLBACK = "/sfp/api/auth/admin/login", "/sfp/api/auth/refresh", "/sfp/api/auth/callback"
ORGS = "/sfp/api/auth/salesforce/orgs"
PAGE = "/console/"


@pytest.fixture
def olga(a_person) -> User:
    a_person("second@acme.example", Role.OWNER)
    return a_person(OLGA, Role.OWNER)


def _at_the_page() -> Visitor:
    visitor = Visitor()
    assert visitor.post("/login", {"email": OLGA, "password": PASSWORD}).status_code == 302
    return visitor


def _pair() -> dict[str, str]:
    answer = Caller().post(LOGIN, {"email": OLGA, "password": PASSWORD})
    assert answer.status_code == 200, answer
    return answer.json()


def _by_tokens(**tokens: str) -> Visitor:
    """Turn tokens into a session, as a log-in page of somebody else's making does."""
    visitor = Visitor()
    answer = visitor.client.post(CALLBACK, tokens, content_type="application/json")
    assert answer.status_code == 200, text_of(answer)
    return visitor


def _by_pair(pair: dict[str, str]) -> Visitor:
    return _by_tokens(access_token=pair["access_token"], refresh_token=pair["refresh_token"])


def _is_in(visitor: Visitor) -> bool:
    """Return True if the console opens, False if it leads to the log-in page."""
    return {200: True, 302: False}[visitor.get(PAGE).status_code]


def _with_cookie(value: str) -> Visitor:
    visitor = Visitor()
    visitor.client.cookies[frozen.SESSION_COOKIE_NAME] = value
    return visitor


# --- What a reader of the database has ----------------------------------------------------------------


def _stored_values() -> Iterator[str]:
    """Yield every value of every table as text, and what sessions hold inside."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  # a name of ours
            yield from {str(value) for row in cursor.fetchall() for value in row}
    for session in BrowserSession.objects.all():
        yield from map(str, SessionStore().decode(session.data).values())


def test_no_value_in_the_database_opens_a_session(olga):
    visitor = _at_the_page()
    cookie = visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value

    values = {value for value in _stored_values() if re.fullmatch(r"[!-~]{8,4000}", value)}
    opening = [value for value in values if _is_in(_with_cookie(value))]

    assert len(values) > 20, "A cookie can be any of these."
    assert opening == []
    assert cookie not in "".join(_stored_values())
    assert _is_in(_with_cookie(cookie))


def test_sessions_that_an_older_version_stored_by_their_key_are_deleted(db):
    migration = import_module("authn.migrations.0011_end_sessions_stored_by_their_key")
    migration.delete_sessions(apps, connection.schema_editor())  # A new desk has no such table.
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text)")
        cursor.execute("INSERT INTO django_session VALUES ('the-very-cookie', 'data')")

        migration.delete_sessions(apps, connection.schema_editor())

        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone() == (0,)


# --- A session ends with its log-in -------------------------------------------------------------------


def test_a_session_of_tokens_belongs_to_their_log_in(olga):
    pair = _pair()

    _by_pair(pair)
    _by_tokens(access_token=pair["access_token"])

    families = set(BrowserSession.objects.values_list("family", flat=True))
    assert families == set(LoginFamily.objects.values_list("pk", flat=True))
    assert BrowserSession.objects.count() == 2


def test_a_refresh_token_that_comes_back_ends_the_sessions_of_its_log_in(olga):
    pair, other = _pair(), _at_the_page()
    visitors = [_by_pair(pair), _by_tokens(access_token=pair["access_token"])]
    assert [_is_in(visitor) for visitor in visitors] == [True, True]
    assert Caller().post(REFRESH, {"refresh_token": pair["refresh_token"]}).status_code == 200
    assert [_is_in(visitor) for visitor in visitors] == [True, True]

    assert Caller().post(REFRESH, {"refresh_token": pair["refresh_token"]}).json()["code"] == "REFRESH_REUSED"

    assert [_is_in(visitor) for visitor in visitors] == [False, False]
    assert _is_in(other)


def test_signing_out_ends_the_tokens_and_the_other_sessions_of_the_log_in(olga):
    pair, other = _pair(), _at_the_page()
    here, there = _by_pair(pair), _by_pair(pair)

    here.post("/logout")

    assert not _is_in(there)
    assert Caller(pair["access_token"]).get(ORGS).json()["code"] == "TOKEN_REVOKED"
    assert Caller().post(REFRESH, {"refresh_token": pair["refresh_token"]}).status_code == 401
    assert _is_in(other)


def test_a_cookie_that_was_kept_is_worthless_after_signing_out(olga):
    visitor = _at_the_page()
    kept = visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value

    visitor.post("/logout")

    assert not _is_in(_with_cookie(kept))


def test_a_log_out_of_the_servicestack_service_ends_the_session_of_its_bearer(olga):
    wire = Wire()
    login = wire.post("/auth/credentials", {"UserName": OLGA, "Password": PASSWORD}).json()
    visitor = _by_tokens(access_token=login["bearerToken"])
    assert _is_in(visitor)

    wire.get("/auth/logout")

    assert not _is_in(visitor)


def test_a_new_password_ends_the_sessions_of_tokens(olga):
    visitor = _by_pair(_pair())

    set_password(olga, "another-long-password", by=BY, how="test")

    assert not _is_in(visitor)


def _page_session() -> Any:
    visitor = _at_the_page()
    return lambda: _is_in(visitor)


def _token_session() -> Any:
    visitor = _by_pair(_pair())
    return lambda: _is_in(visitor)


def _access_token() -> Any:
    caller = Caller(_pair()["access_token"])
    return lambda: caller.get(ORGS).status_code == 200


def _refresh_token() -> Any:
    token = _pair()["refresh_token"]
    return lambda: Caller().post(REFRESH, {"refresh_token": token}).status_code == 200


def _callback_by_old_token() -> Any:
    token = _pair()["access_token"]
    return lambda: Caller().post(CALLBACK, {"access_token": token}).status_code == 200


def _password_link() -> Any:
    link = password_link(User.objects.get(email=OLGA), by=BY).removeprefix("http://localhost:8000")
    return lambda: Visitor().get(link).status_code == 200


def _servicestack(*, use: str) -> Any:
    wire = Wire()
    wish = {"UserName": OLGA, "Password": PASSWORD, "UseTokenCookie": use == "token cookies"}
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
def test_switching_a_person_off_and_on_revives_nothing(hold, olga):
    assert hold()(), "It works before."
    still_works = hold()

    change_user(olga, by=BY, is_active=False)
    assert not still_works()
    change_user(olga, by=BY, is_active=True)

    assert not still_works()
    assert hold()(), "What is given out afterwards works."


# --- How long a session lasts -------------------------------------------------------------------------


def _in(hours: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(hours=hours))


def test_a_session_of_an_access_token_alone_ends_with_the_token(olga):
    pair = _pair()
    alone, both = _by_tokens(access_token=pair["access_token"]), _by_pair(pair)

    with _in(0.9):
        assert (_is_in(alone), _is_in(both)) == (True, True)
    with _in(1.1):
        assert (_is_in(alone), _is_in(both)) == (False, True)
    with _in(12.1):
        assert not _is_in(both)


def test_using_a_session_does_not_put_its_end_off(olga, a_person):
    visitor = _at_the_page()
    with _in(11.9):
        max_ = a_person("max@acme.example")
        visitor.post(f"/console/authn/user/{max_.pk}/change/", {"role": "member", "is_active": "on"})
        assert "max@acme.example is changed." in text_of(visitor.get(PAGE)), "The session was written to."

    with _in(12.1):
        assert not _is_in(visitor)


def test_the_sweep_deletes_log_ins_and_sessions_that_are_over(olga):
    _at_the_page()
    _at_the_page().post("/logout")
    assert (LoginFamily.objects.count(), BrowserSession.objects.count()) == (2, 1)

    with _in(12.1):
        call_command("sweep")

    assert (LoginFamily.objects.count(), BrowserSession.objects.count()) == (0, 0)


def test_checking_the_log_in_costs_no_query_more(olga, django_assert_num_queries):
    visitor = _at_the_page()

    with django_assert_num_queries(2):  # The session with its log-in, and the person.
        assert OLGA in text_of(visitor.get("/logout"))


def test_a_session_that_was_ended_meanwhile_is_not_stored_again(olga):
    visitor = _at_the_page()
    session = SessionStore(visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value)
    assert session["_auth_user_id"] == str(olga.pk)
    visitor.post("/logout")

    session["late"] = "note"
    with pytest.raises(UpdateError):
        session.save()

    assert not BrowserSession.objects.exists()


# --- Whose session it is ------------------------------------------------------------------------------


def test_a_session_that_a_stranger_slipped_in_is_replaced_at_the_log_in(olga, a_person):
    stranger = Visitor().sign_in(a_person("eve@acme.example"))
    planted = stranger.client.cookies[frozen.SESSION_COOKIE_NAME].value
    victim = _with_cookie(planted)

    victim.post("/login", {"email": OLGA, "password": PASSWORD}, form_at="/logout")

    assert victim.client.cookies[frozen.SESSION_COOKIE_NAME].value != planted
    assert _is_in(victim)
    assert not _is_in(_with_cookie(planted))


def test_logging_in_again_gives_the_session_another_key(olga):
    visitor = _at_the_page()
    before = visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value

    visitor.post("/login", {"email": OLGA, "password": PASSWORD}, form_at="/logout")

    assert visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value != before
    assert not _is_in(_with_cookie(before))


def test_the_audit_names_the_log_in_of_a_session(olga):
    _at_the_page().post("/logout")

    family = str(LoginFamily.objects.get().pk)
    rows = AuditEvent.objects.filter(action__in=["person.login", "person.logout"])
    assert [row.details for row in rows] == [{"door": "browser", "family": family}] * 2


# --- Strangers ----------------------------------------------------------------------------------------

FIELDS = {"email": OLGA, "password": "wrong", "present": "x", "new": "x", "again": "x", "next": "/"}


def test_no_request_without_a_log_in_stores_a_session(olga):
    routes = {(method, re.sub("<[^>]*>", str(olga.pk), path)) for method, path in operations()}
    routes |= {
        (method, re.sub("<[^>]*>", str(olga.pk), path)) for path in console_paths() for method in ("GET", "POST")
    }

    client = Client(raise_request_exception=False)
    for method, path in sorted(routes):
        client.generic(method, path, urlencode(FIELDS), "application/x-www-form-urlencoded")

    assert len(routes) > 80
    assert not BrowserSession.objects.exists()
    assert not LoginFamily.objects.exists()


def test_signing_out_without_a_log_in_stores_nothing_and_says_so_once(olga):
    visitor = Visitor()

    answer = visitor.post("/logout", form_at="/login")

    assert answer["Location"] == "/login"
    assert frozen.SESSION_COOKIE_NAME not in visitor.client.cookies
    assert not BrowserSession.objects.exists()
    assert "You are signed out." in text_of(visitor.get("/login"))
    assert "You are signed out." not in text_of(visitor.get("/login"))


@pytest.mark.parametrize("path", ["/login", "/logout", "/password"])
def test_a_form_that_is_refused_for_its_csrf_token_stores_nothing(path, olga):
    answer = Visitor().client.post(path, FIELDS)

    assert answer.status_code == 403
    assert not BrowserSession.objects.exists()


def test_notes_to_a_person_stay_on_this_side(olga, a_person):
    visitor = _at_the_page()
    max_ = a_person("max@acme.example")

    answer = visitor.post(f"/console/authn/user/{max_.pk}/change/", {"role": "member", "is_active": "on"})

    assert "messages" not in answer.cookies
    assert "max@acme.example is changed." in text_of(visitor.get(PAGE))
