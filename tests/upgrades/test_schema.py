"""Every migration can be reverted and applied again; an upgrade and a new database end with the same tables."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ACCESS_TOKEN, REGISTER
from tests.support.live_server import PASSWORD, ROOT, Desk, a_database, environment_of
from tests.upgrades.steps import applied, are_all_applied, migrate, migrate_step_by_step

pytestmark = pytest.mark.database
OURS = [config.label for config in apps.get_app_configs() if (ROOT / config.label / "migrations").is_dir()]
SUPERUSER = {"DJANGO_SUPERUSER_EMAIL": "owner@acme.example", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}


def test_there_are_apps_tomigrate():
    assert {"authn", "orgs"} <= set(OURS)


def test_a_migration_without_a_transaction_changes_rows_only():
    """It can be interrupted, and is then run again from its beginning: a column that it had added would exist."""
    ours = [migration for key, migration in MigrationLoader(None).disk_migrations.items() if key[0] in OURS]
    interruptible = [migration for migration in ours if not migration.atomic]

    assert interruptible
    assert not [
        (migration, operation)
        for migration in interruptible
        for operation in migration.operations
        if not isinstance(operation, RunPython)
    ]


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def _schema() -> dict[str, object]:
    """Return columns and constraints by table, without names that a database makes up."""
    found: dict[str, object] = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            columns = connection.introspection.get_table_description(cursor, table)
            constraints = connection.introspection.get_constraints(cursor, table).values()
            found[table] = (
                sorted((column.name, str(column.type_code), column.null_ok) for column in columns),
                sorted(str(sorted((key, str(value)) for key, value in row.items())) for row in constraints),
            )
    return found


def test_an_upgrade_and_a_new_database_have_the_same_tables(empty_database):
    migrate()
    new = _schema()
    for app in OURS:
        migrate(app, "zero")
    migrate_step_by_step()

    migrate()

    assert _schema() == new
    assert all(are_all_applied(app) for app in OURS)


def test_the_table_of_the_former_cache_is_dropped(empty_database):
    migrate_step_by_step(("authn", "0012_access_epoch"))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE frontdesk_cache (cache_key varchar(255) PRIMARY KEY)")

    migrate()

    assert "frontdesk_cache" not in connection.introspection.table_names()


def test_an_installation_without_the_newest_migrations_is_upgraded(empty_database):
    migrate_step_by_step(
        ("authn", "0012_access_epoch"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("orgs", "0007_room_for_what_salesforce_sends"),
        ("sandboxes", "0001_grants_and_pools"),
    )
    assert ("authn", "0013_drop_cache_table") not in MigrationRecorder(connection).applied_migrations()

    migrate()

    assert all(are_all_applied(app) for app in OURS)


def test_an_upgrade_may_begin_with_one_app(empty_database):
    migrate_step_by_step(
        ("authn", "0013_drop_cache_table"),
        ("orgs", "0007_room_for_what_salesforce_sends"),
        ("sandboxes", "0002_room_for_instance_urls"),
    )

    migrate("authn")
    migrate()

    assert all(are_all_applied(app) for app in OURS)


def test_an_app_goes_to_zero_and_back(empty_database):
    migrate()

    for app in OURS:
        migrate(app, "zero")
        assert applied(app) == 0

        migrate()
        assert are_all_applied(app)
    call_command("migrate", check_unapplied=True, verbosity=0)


# Audit rows as version 4580de2 wrote them, by action: actor id and name, org text and details.
@pytest.mark.parametrize("app", OURS)
def test_an_app_migrates_alone_on_an_empty_database(app, empty_database):
    migrate(app)

    assert are_all_applied(app)


def test_the_users_app_works_without_orgs(empty_database, monkeypatch):
    for name, value in SUPERUSER.items():
        monkeypatch.setenv(name, value)
    printed = StringIO()
    migrate("authn")

    call_command("createsuperuser", interactive=False, verbosity=0)
    call_command("issue_application_token", "ci", stdout=printed)

    assert printed.getvalue().startswith("fdt_")
    assert applied("orgs") == 0


@pytest.fixture
def world() -> Iterator[tuple[Emulator, Any]]:
    emulator = Emulator()
    with emulator.serve() as server:
        yield emulator, server


@pytest.fixture
def desk(tmp_path, world, django_db_setup, django_db_blocker) -> Iterator[Desk]:
    """A desk that was not opened yet: its database is empty."""
    with django_db_blocker.unblock(), a_database(tmp_path) as database_url:
        desk = Desk(tmp_path, environment_of(tmp_path, world[1].url, database_url))
        yield desk
        desk.stop()


def test_an_org_can_be_registered_after_orgs_went_to_zero_and_back(desk, world):
    url = world[0].add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url()
    desk.manage("migrate", "--verbosity", "0")
    desk.manage("migrate", "orgs", "zero", "--verbosity", "0")
    desk.manage("migrate", "--verbosity", "0")
    desk.manage("createsuperuser", "--noinput", **SUPERUSER)
    desk.start()
    desk.log_in()

    registered = desk.send("POST", REGISTER, {"sfdxAuthUrl": url})

    assert registered.status == 201, registered.text
    assert json.loads(registered.text)["username"] == "ci@acme.example"
    assert desk.send("POST", f"{ACCESS_TOKEN}?username=ci@acme.example").status == 200
