"""Browser sessions: a database copy opens none, and each ends with its log-in."""

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings as frozen
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from authn.browser.sessions import SessionStore
from authn.models import AuditEvent, BrowserSession, LoginFamily, User
from authn.principals import system
from authn.roles import Role
from authn.users import set_password
from tests.authn.browser_logins import EMAIL, ORGS, PAGE, REFRESH, a_pair, at_the_page, by_pair, by_tokens, is_in
from tests.authn.servicestack.wire import Wire
from tests.conftest import PASSWORD
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of

pytestmark = pytest.mark.django_db
BY = system("tests")


@pytest.fixture
def olga(a_person) -> User:
    a_person("second@acme.example", Role.OWNER)
    return a_person(EMAIL, Role.OWNER)


def _with_cookie(value: str) -> Visitor:
    visitor = Visitor()
    visitor.client.cookies[frozen.SESSION_COOKIE_NAME] = value
    return visitor


# --- A copy of the database ----------------------------------------------------------------


def _stored_values() -> Iterator[str]:
    """Yield every value of every table as text, and what sessions hold inside."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  # a name of ours
            yield from {str(value) for row in cursor.fetchall() for value in row}
    for session in BrowserSession.objects.all():
        yield from map(str, SessionStore().decode(session.data).values())


@pytest.mark.database
def test_no_value_in_the_database_opens_a_session(olga):
    visitor = at_the_page()
    cookie = visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value

    values = {value for value in _stored_values() if re.fullmatch(r"[!-~]{8,4000}", value)}
    opening = [value for value in values if is_in(_with_cookie(value))]

    assert len(values) > 20, "A cookie can be any of these."
    assert opening == []
    assert cookie not in "".join(_stored_values())
    assert is_in(_with_cookie(cookie))


@pytest.mark.database
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
    pair = a_pair()

    by_pair(pair)
    by_tokens(access_token=pair["access_token"])

    families = set(BrowserSession.objects.values_list("family", flat=True))
    assert families == set(LoginFamily.objects.values_list("pk", flat=True))
    assert BrowserSession.objects.count() == 2


@pytest.mark.database
def test_a_refresh_token_that_comes_back_ends_the_sessions_of_its_log_in(olga):
    pair, other = a_pair(), at_the_page()
    visitors = [by_pair(pair), by_tokens(access_token=pair["access_token"])]
    assert [is_in(visitor) for visitor in visitors] == [True, True]
    assert Caller().post(REFRESH, {"refresh_token": pair["refresh_token"]}).status_code == 200
    assert [is_in(visitor) for visitor in visitors] == [True, True]

    assert Caller().post(REFRESH, {"refresh_token": pair["refresh_token"]}).json()["code"] == "REFRESH_REUSED"

    assert [is_in(visitor) for visitor in visitors] == [False, False]
    assert is_in(other)


@pytest.mark.database
def test_signing_out_ends_the_tokens_and_the_other_sessions_of_the_log_in(olga):
    pair, other = a_pair(), at_the_page()
    here, there = by_pair(pair), by_pair(pair)

    here.post("/logout")

    assert not is_in(there)
    assert Caller(pair["access_token"]).get(ORGS).json()["code"] == "TOKEN_REVOKED"
    assert Caller().post(REFRESH, {"refresh_token": pair["refresh_token"]}).status_code == 401
    assert is_in(other)


def test_a_cookie_that_was_kept_is_worthless_after_signing_out(olga):
    visitor = at_the_page()
    kept = visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value

    visitor.post("/logout")

    assert not is_in(_with_cookie(kept))


def test_a_log_out_of_the_servicestack_service_ends_the_session_of_its_bearer(olga):
    wire = Wire()
    login = wire.post("/auth/credentials", {"UserName": EMAIL, "Password": PASSWORD}).json()
    visitor = by_tokens(access_token=login["bearerToken"])
    assert is_in(visitor)

    wire.get("/auth/logout")

    assert not is_in(visitor)


@pytest.mark.database
def test_a_new_password_ends_the_sessions_of_tokens(olga):
    visitor = by_pair(a_pair())

    set_password(olga, "another-long-password", by=BY, how="test")

    assert not is_in(visitor)


# --- How long a session lasts -------------------------------------------------------------------------


def _in(hours: float) -> Any:
    return time_machine.travel(timezone.now() + timedelta(hours=hours))


def test_a_session_of_an_access_token_alone_ends_with_the_token(olga):
    pair = a_pair()
    alone, both = by_tokens(access_token=pair["access_token"]), by_pair(pair)

    with _in(0.9):
        assert (is_in(alone), is_in(both)) == (True, True)
    with _in(1.1):
        assert (is_in(alone), is_in(both)) == (False, True)
    with _in(12.1):
        assert not is_in(both)


def test_using_a_session_does_not_put_its_end_off(olga, a_person):
    visitor = at_the_page()
    with _in(11.9):
        max_ = a_person("max@acme.example")
        visitor.post(f"/console/authn/user/{max_.pk}/change/", {"role": "owner", "is_active": "on"})
        assert "max@acme.example was updated." in text_of(visitor.get(PAGE)), "The session was written to."

    with _in(12.1):
        assert not is_in(visitor)


@pytest.mark.database
def test_the_sweep_deletes_log_ins_and_sessions_that_are_over(olga):
    at_the_page()
    at_the_page().post("/logout")
    assert (LoginFamily.objects.count(), BrowserSession.objects.count()) == (2, 1)

    # Sweeps go by the database's clock, so the rows become older in place of this machine's clock.
    for model in (LoginFamily, BrowserSession):
        model._default_manager.update(expires_at=F("expires_at") - timedelta(hours=12, minutes=6))
    call_command("sweep")

    assert (LoginFamily.objects.count(), BrowserSession.objects.count()) == (0, 0)


@pytest.mark.database
def test_checking_the_log_in_costs_no_query_more(olga, django_assert_num_queries):
    visitor = at_the_page()

    with django_assert_num_queries(2):  # The session with its log-in, and the person.
        assert EMAIL in text_of(visitor.get("/logout"))


@pytest.mark.database
def test_a_session_that_was_ended_meanwhile_is_not_stored_again(olga):
    visitor = at_the_page()
    session = SessionStore(visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value)
    assert session["_auth_user_id"] == str(olga.pk)
    visitor.post("/logout")

    session["late"] = "note"
    with pytest.raises(UpdateError):
        session.save()

    assert not BrowserSession.objects.exists()


# --- Planted sessions ------------------------------------------------------------------------------


def test_a_session_that_a_stranger_slipped_in_is_replaced_at_the_log_in(olga, a_person):
    stranger = Visitor().sign_in(a_person("eve@acme.example"))
    planted = stranger.client.cookies[frozen.SESSION_COOKIE_NAME].value
    victim = _with_cookie(planted)

    victim.post("/login", {"email": EMAIL, "password": PASSWORD}, form_at="/logout")

    assert victim.client.cookies[frozen.SESSION_COOKIE_NAME].value != planted
    assert is_in(victim)
    assert not is_in(_with_cookie(planted))


def test_logging_in_again_gives_the_session_another_key(olga):
    visitor = at_the_page()
    before = visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value

    visitor.post("/login", {"email": EMAIL, "password": PASSWORD}, form_at="/logout")

    assert visitor.client.cookies[frozen.SESSION_COOKIE_NAME].value != before
    assert not is_in(_with_cookie(before))


def test_the_audit_names_the_log_in_of_a_session(olga):
    at_the_page().post("/logout")

    family = str(LoginFamily.objects.get().pk)
    rows = AuditEvent.objects.filter(action__in=["person.login", "person.logout"])
    assert [row.details for row in rows] == [{"door": "browser", "family": family}] * 2
