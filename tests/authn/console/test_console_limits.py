"""No page of the console can overload the database: no counts per filter, and slow statements are cancelled."""

import re
from typing import cast

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authn.models import AuditEvent
from authn.roles import Role
from config.postgresql.base import DatabaseWrapper
from tests.support.browser_client import Visitor, text_of

LISTS = [model._meta for model in admin.site._registry]


@pytest.fixture
def console(a_person) -> Client:
    return Visitor().sign_in(a_person("olga@acme.example", Role.OWNER)).client


@pytest.mark.django_db
@pytest.mark.parametrize("opts", LISTS, ids=lambda opts: opts.label)
def test_no_list_counts_the_rows_of_each_filter(opts, console):
    path = f"/console/{opts.app_label}/{opts.model_name}/"
    with CaptureQueriesContext(connection) as plain:
        console.get(path)

    with CaptureQueriesContext(connection) as asked:
        response = console.get(path, {"_facets": "True"}, follow=True)

    assert response.status_code == 200
    assert not {"Show counts", "Hide counts"} & set(re.findall("Show counts|Hide counts", text_of(response)))
    assert _counts(asked) <= _counts(plain)


def _counts(queries: CaptureQueriesContext) -> int:
    """Return how many results the widest count had: facets are counted in one statement."""
    return max((query["sql"].upper().count("COUNT(") for query in queries), default=0)


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no time-out of statements")
def test_a_page_whose_statement_takes_too_long_is_the_page_of_an_unavailable_database(console):
    AuditEvent.objects.create(action="person.login", outcome="granted")  # Without a row, the database need not wait.
    _run(
        "ALTER TABLE authn_auditevent RENAME TO kept",
        "CREATE VIEW authn_auditevent AS SELECT kept.* FROM kept, pg_sleep(30)",
    )
    _reconnect("-c statement_timeout=300")
    try:
        response = console.get("/console/authn/auditevent/")
    finally:
        _reconnect("")
        _run("DROP VIEW authn_auditevent", "ALTER TABLE kept RENAME TO authn_auditevent")

    assert response.status_code == 503
    assert "The desk&#x27;s database is unavailable" in text_of(response)


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _reconnect(options: str) -> None:
    connection.close()
    cast(DatabaseWrapper, connection).close_pool()
    connection.settings_dict["OPTIONS"]["options"] = options
