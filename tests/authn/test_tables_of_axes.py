"""An upgrade drops the tables of django-axes and leaves no trace of the passwords in them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.live_server import Desk, a_database, environment_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]
TABLES = ["axes_accessattempt", "axes_accessattemptexpiration", "axes_accesslog", "axes_accessfailurelog"]
CANARY = "canary-of-a-password"
# As the migrations of django-axes 8.3 leave them, but for columns that hold nothing of interest.
OLD_TABLES = [
    "CREATE TABLE axes_accessattempt (id integer PRIMARY KEY, username varchar(255), post_data text NOT NULL)",
    "CREATE TABLE axes_accessattemptexpiration (access_attempt_id integer PRIMARY KEY"
    " REFERENCES axes_accessattempt (id), expires_at timestamp NOT NULL)",
    "CREATE TABLE axes_accesslog (id integer PRIMARY KEY, username varchar(255))",
    "CREATE TABLE axes_accessfailurelog (id integer PRIMARY KEY, username varchar(255))",
    *(f"INSERT INTO axes_accessattempt VALUES ({n}, 'mia@acme.example', 'present={CANARY}-{n}')" for n in range(200)),  # noqa: S608
    "INSERT INTO axes_accessattemptexpiration VALUES (150, '2026-11-26 00:00:00')",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('axes', '0001_initial', '2026-11-26 00:00:00')",
]

# Step by step: a new database would begin with the migration that replaces them all.
MIGRATE_TO_THE_OLDER_VERSION = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
executor = MigrationExecutor(connection)
executor.loader = MigrationLoader(connection, replace_migrations=False)
for key, migration in executor.loader.replacements.items():
    executor.loader.graph.remove_replacement_node(key, migration.replaces)
executor.migrate([("authn", "0007_login_attempts"), ("orgs", "0007_room_for_what_salesforce_sends")])
"""


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
            # As in most builds of SQLite, deleted data stays in the file.
            connection.execute("PRAGMA secure_delete = OFF")
            yield connection
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection


@pytest.fixture
def upgraded(tmp_path) -> Iterator[str]:
    """The address of a database that an older version used, after the migrations of this one."""
    with a_database(tmp_path) as url:
        desk = Desk(tmp_path, environment_of(tmp_path, "http://127.0.0.1:9", url))
        desk.manage("shell", "-c", MIGRATE_TO_THE_OLDER_VERSION)
        with _connected(url) as connection:
            for statement in OLD_TABLES:
                connection.execute(statement)
        with _connected(url) as connection:  # What was deleted before lies in pages that no table has.
            connection.execute("DELETE FROM axes_accessattempt WHERE id < 100")
        assert not _sqlite_files(tmp_path) or CANARY.encode() in _sqlite_files(tmp_path)

        desk.manage("migrate", "--verbosity", "0")
        yield url


def _sqlite_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("desk.sqlite3*")))


def test_an_upgrade_leaves_no_password_of_the_old_lockout(upgraded, tmp_path):
    with _connected(upgraded) as connection:
        for table in TABLES:
            with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable), match=table):
                connection.execute(f"SELECT * FROM {table}")  # noqa: S608
        rows = connection.execute("SELECT name FROM django_migrations WHERE app = 'axes'").fetchall()

    assert rows == []
    assert CANARY.encode() not in _sqlite_files(tmp_path)
