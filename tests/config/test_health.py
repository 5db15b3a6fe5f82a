"""/livez and /readyz."""

import pytest
from django.db import connection
from django.test import override_settings

from config import health
from tests.callers import Caller

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_alive_asks_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Caller().get("/livez").json() == {"status": "alive"}


def test_ready(monkeypatch, django_assert_max_num_queries):
    first = Caller().get("/readyz")
    with django_assert_max_num_queries(1):
        second = Caller().get("/readyz")

    assert first.json() == second.json() == {"status": "ready"}


def test_not_ready_while_a_migration_is_missing(monkeypatch):
    monkeypatch.setattr(health, "_all_applied", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'orgs'")

    answer = Caller().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["reason"] == "Run manage.py migrate."


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
@override_settings()
def test_only_reading(method):
    assert Caller().send(method, "/readyz").status_code == 405
