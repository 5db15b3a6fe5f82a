"""A failing database is 503 at every endpoint; reads succeed while nothing can be written."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any, cast

import psycopg
import pytest
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
)
from django.test import Client
from django.utils import timezone

from authn.models import ApplicationToken, BrowserSession, User
from config.postgresql.base import DatabaseWrapper
from orgs.salesforce.emulator import Emulator
from sandboxes.models import PoolInstance
from tests.conftest import PASSWORD
from tests.orgs.factories import ACCESS_TOKEN, ORG, ORGS, REGISTER, a_registered_org, an_org
from tests.support.api_client import Caller
from tests.support.browser_client import Visitor, text_of

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
FAILURES = [OperationalError, InternalError, ProgrammingError, InterfaceError, DatabaseError]
BUGS = [IntegrityError, DataError]
POOLS = "/sfp/api/pools/instances"
LOGIN = "/sfp/api/auth/admin/login"
CREDENTIALS = {"email": "owner@acme.example", "password": PASSWORD}
CI = {"username": "ci@acme.example"}
CONSOLE = "/console/orgs/salesforceorg/"


@pytest.fixture
def console(owner: Caller) -> Client:
    return Visitor(enforce_csrf=False).sign_in(User.objects.get(email="owner@acme.example")).client


@contextmanager
def _failing(error: type[Exception], *parts: str) -> Iterator[None]:
    """Let each statement fail that holds all of some words."""

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if all(part in sql for part in parts):
            raise error("canary-5Aep861")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


# --- Failures by endpoint ------------------------------------------------------------------


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: error.__name__)
def test_a_database_failure_is_503_at_the_api(error, owner):
    with _failing(error):
        response = owner.get(ORGS)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["code"] == "DATABASE_UNAVAILABLE"
    assert "canary" not in response.text


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: error.__name__)
def test_a_page_says_that_it_is_the_database_of_the_desk(error, console):
    with _failing(error):
        response = console.get(CONSOLE)

    text = text_of(response)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "The desk&#x27;s database is unavailable" in text
    assert f'href="{CONSOLE}">Try again' in text
    assert "Salesforce" not in text
    assert "canary" not in text


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: error.__name__)
def test_the_servicestack_service_responds_in_its_own_format(error, owner):
    with _failing(error):
        response = Caller().post("/auth/credentials.json", {"UserName": "owner@acme.example", "Password": PASSWORD})

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["responseStatus"]["errorCode"] == "ServiceUnavailable"


@pytest.mark.parametrize("error", BUGS, ids=lambda error: error.__name__)
def test_a_permanent_database_error_is_500(error, owner, console):
    with _failing(error):
        responses = [owner.get(ORGS), console.get(CONSOLE)]

    assert [response.status_code for response in responses] == [500, 500]


def test_a_page_responds_with_json_to_an_api_client(console):
    with _failing(OperationalError):
        response = console.get("/", headers={"Accept": "application/json"})

    assert (response.status_code, response.json()["code"]) == (503, "DATABASE_UNAVAILABLE")


def test_a_session_that_cannot_be_stored_is_503_though_the_view_has_ended(console):
    with _failing(InternalError, "UPDATE", BrowserSession._meta.db_table):
        # The action leaves a message in the session, which is stored after the view.
        response = console.post(CONSOLE, {"action": "test_connections", "_selected_action": "x"})

    assert response.status_code == 503
    assert "The desk&#x27;s database is unavailable" in text_of(response)


def test_a_table_that_is_missing_is_503(owner, console):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orgs_salesforceorg RENAME TO elsewhere")
    try:
        responses = [owner.get(ORGS), console.get(CONSOLE)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO orgs_salesforceorg")

    assert [response.status_code for response in responses] == [503, 503]


# --- Reading goes on ---------------------------------------------------------------------------------


@contextmanager
def _reconnected(name: str, value: Any) -> Iterator[None]:
    """Let each connection of this process be made with an option."""
    options = connection.settings_dict["OPTIONS"]
    before = options.get(name, "")
    _close()
    options[name] = value
    try:
        yield
    finally:
        _close()
        options[name] = before


def _close() -> None:
    connection.close()
    if connection.vendor == "postgresql":
        cast(DatabaseWrapper, connection).close_pool()


def _read_only() -> AbstractContextManager[None]:
    """The database takes no writes, as a standby or a full disk."""
    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "sqlite":
        return _reconnected("init_command", f"{options['init_command']} PRAGMA query_only = ON;")
    return _reconnected("options", "-c default_transaction_read_only=on")


@contextmanager
def _written_to_elsewhere() -> Iterator[None]:
    """Another process holds SQLite's one write lock, or PostgreSQL's locks on the tables that are written to."""
    if connection.vendor == "sqlite":
        with _reconnected("timeout", 0.2):
            other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                other.execute("ROLLBACK")
                other.close()
        return
    of = connection.settings_dict
    where = {"dbname": of["NAME"], "user": of["USER"], "password": of["PASSWORD"], "host": of["HOST"]}
    with psycopg.connect(**where, port=of["PORT"] or 5432) as holder:
        holder.execute("LOCK TABLE authn_applicationtoken, sandboxes_poolinstance IN EXCLUSIVE MODE")
        yield


WAYS = [_read_only, _written_to_elsewhere]


@pytest.fixture
def an_org_in_a_pool(owner: Caller, salesforce: Emulator) -> None:
    hub = a_registered_org(owner, salesforce, CI["username"], isDevHub=True)
    salesforce.add_sandbox(hub, "dev1")
    instance = PoolInstance(repository="acme/app", pool_tag="x", name="dev1", type=PoolInstance.Type.SANDBOX)
    instance.assign("pr-1", email="", hours=1)
    instance.expires_at = timezone.now() - timedelta(hours=1)
    instance.save()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_reads_succeed_at_once_while_the_database_accepts_no_writes(
    way, owner, member, application, console, an_org_in_a_pool
):
    assert ApplicationToken.objects.get().last_used_at is None, "last_used_at is not stored yet"
    member.get(ORGS)

    with way():
        began = time.monotonic()
        responses = [
            *(caller.get(ORGS) for caller in (owner, member, application)),
            application.get(POOLS),
            member.get(ORG, **CI),
            application.head(ORG, **CI),
            member.get("/sfp/api/schema"),
            *(console.get(page) for page in ("/", CONSOLE, "/console/", "/console/sandboxes/poolinstance/", "/logout")),
            Visitor().get("/login"),
            Caller().get("/livez"),
        ]
        seconds = time.monotonic() - began

    assert [response.status_code for response in responses] == [200] * len(responses)
    assert seconds < 4.0, "no request waits for a lock to store last_used_at"
    assert application.get(ORGS).status_code == 200
    assert ApplicationToken.objects.get().last_used_at is not None, "stored once writes succeed again"


def test_writes_are_503_on_a_read_only_database(owner, application, console, salesforce, an_org_in_a_pool):
    new = an_org(salesforce, "new@acme.example").auth_url()
    salesforce.reset_calls()

    with _read_only():
        responses = [
            owner.send("PATCH", ORG, {"metadata": {}}, query=CI),
            application.post(ACCESS_TOKEN, **CI),
            owner.post(REGISTER, {"sfdxAuthUrl": new}),
            Caller().post(LOGIN, CREDENTIALS),
        ]
        page = console.post("/console/authn/applicationtoken/add/", {"name": "nightly", "days": "7"})

    assert [response.status_code for response in (*responses, page)] == [503] * 5
    assert {response.json()["code"] for response in responses} <= {"DATABASE_UNAVAILABLE", "AUDIT_UNAVAILABLE"}
    assert salesforce.calls == []


# --- A database that is older than the code -----------------------------------------------------


@contextmanager
def _renamed(before: str, after: str) -> Iterator[None]:
    """Rename a table, or a column written as table.column, so that queries of it fail as before a migration."""

    def rename(old: str, new: str) -> None:
        table, _, column = old.partition(".")
        part = f"RENAME COLUMN {column} TO {new}" if column else f"RENAME TO {new}"
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} {part}")

    rename(before, after)
    try:
        yield
    finally:
        table, _, column = before.partition(".")
        rename(f"{table}.{after}" if column else after, column or table)


@pytest.mark.parametrize("missing", ["authn_loginattempts", "authn_addresstries", "authn_user.role"])
def test_a_log_in_before_the_migrations_is_503_with_a_code(missing, a_person):
    a_person("owner@acme.example")

    with _renamed(missing, "renamed_5aep861"):
        api = Caller().post(LOGIN, CREDENTIALS)
        page = Visitor(enforce_csrf=False).client.post("/login", CREDENTIALS)

    assert (api.refusal, api.headers["Retry-After"]) == ((503, "MIGRATIONS_MISSING"), "5")
    assert "manage.py migrate" in api.json()["action"]
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "The desk&#x27;s database is not migrated" in text_of(page)
