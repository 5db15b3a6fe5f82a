"""The time limits of a PostgreSQL connection: set by default, overridden by the address, off for migrations."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.models.signals import post_migrate, pre_migrate

from config.postgresql.base import DatabaseWrapper
from config.postgresql.options import add_deadlines

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server to wait for"),
]


def test_a_migration_has_no_time_limits_and_the_next_request_has_them_again():
    seen = []

    def look(**_):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
            seen.append((*cursor.fetchone(), connection.connection.max_silence_seconds))

    try:
        pre_migrate.connect(look, weak=False)
        call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(look)
    look()

    assert seen[0] == seen[-2] == ("0", "0", None)
    assert seen[-1] == ("5s", "1200ms", 7.0)
    assert post_migrate.receivers


def test_options_of_the_address_take_precedence():
    options = {"connect_timeout": 7, "options": "-c lock_timeout=9s"}
    add_deadlines(options, pool_size=4, statement_seconds=5, lock_seconds=1)

    params = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}).get_connection_params()

    assert params["connect_timeout"] == 7
    assert isinstance(params["options"], str)
    assert params["options"].endswith("-c lock_timeout=9s")
    assert "statement_timeout=5000" in params["options"]


def test_creating_and_dropping_a_database_has_no_time_limits():
    of = {**connection.settings_dict, "NAME": None}

    params = DatabaseWrapper(of, alias=NO_DB_ALIAS).get_connection_params()

    assert "options" not in params
    assert "max_silence_seconds" not in params
