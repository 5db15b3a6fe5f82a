"""Every migration can be reverted and applied again; an upgrade and a new database end with the same tables."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from authn.models import AuditEvent
from orgs.credentials.hash_key import token_hash_key
from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ACCESS_TOKEN, REGISTER
from tests.support.live_server import PASSWORD, ROOT, Desk, a_database, environment_of

pytestmark = pytest.mark.database
OURS = [config.label for config in apps.get_app_configs() if (ROOT / config.label / "migrations").is_dir()]
SUPERUSER = {"DJANGO_SUPERUSER_EMAIL": "owner@acme.example", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}


@pytest.fixture
def empty_database(tmp_path, django_db_setup, django_db_blocker) -> Iterator[BaseDatabaseWrapper]:
    """Put an empty database in the place of the one that tests share."""
    with django_db_blocker.unblock(), a_database(tmp_path) as url:
        shared = connections["default"]
        name = url.removeprefix("sqlite:///") if shared.vendor == "sqlite" else url.rpartition("/")[2]
        options = {option: value for option, value in shared.settings_dict["OPTIONS"].items() if option != "pool"}
        empty = type(shared)({**shared.settings_dict, "NAME": name, "OPTIONS": options}, "default")
        connections["default"] = empty
        token_hash_key.cache_clear()
        try:
            yield empty
        finally:
            connections["default"] = shared
            token_hash_key.cache_clear()
            empty.close()


def _migrate(*arguments: str) -> None:
    call_command("migrate", *arguments, verbosity=0)


def _applied(app: str) -> int:
    """Return how many migrations of an app were done."""
    return sum(label == app for label, _ in MigrationRecorder(connection).applied_migrations())


def _are_all_applied(app: str) -> bool:
    return _applied(app) == len(list((ROOT / app / "migrations").glob("[0-9]*.py")))


def test_there_are_apps_to_migrate():
    assert {"authn", "orgs"} <= set(OURS)


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def _migrate_step_by_step(*targets: tuple[str, str]) -> None:
    """Apply the migrations that are replaced by one, as an installation did that began before it."""
    executor = MigrationExecutor(connection)
    executor.loader = MigrationLoader(connection, replace_migrations=False)
    for key, migration in executor.loader.replacements.items():
        executor.loader.graph.remove_replacement_node(key, migration.replaces)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


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
    _migrate()
    new = _schema()
    for app in OURS:
        _migrate(app, "zero")
    _migrate_step_by_step()

    _migrate()

    assert _schema() == new
    assert all(_are_all_applied(app) for app in OURS)


def test_the_table_of_the_former_cache_is_dropped(empty_database):
    _migrate_step_by_step(("authn", "0012_access_epoch"))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE frontdesk_cache (cache_key varchar(255) PRIMARY KEY)")

    _migrate()

    assert "frontdesk_cache" not in connection.introspection.table_names()


def test_an_installation_without_the_newest_migrations_is_upgraded(empty_database):
    _migrate_step_by_step(
        ("authn", "0012_access_epoch"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("orgs", "0007_room_for_what_salesforce_sends"),
        ("sandboxes", "0001_grants_and_pools"),
    )
    assert ("authn", "0013_drop_cache_table") not in MigrationRecorder(connection).applied_migrations()

    _migrate()

    assert all(_are_all_applied(app) for app in OURS)


def test_an_upgrade_may_begin_with_one_app(empty_database):
    _migrate_step_by_step(
        ("authn", "0013_drop_cache_table"),
        ("orgs", "0007_room_for_what_salesforce_sends"),
        ("sandboxes", "0002_room_for_instance_urls"),
    )

    _migrate("authn")
    _migrate()

    assert all(_are_all_applied(app) for app in OURS)


def test_an_app_goes_to_zero_and_back(empty_database):
    _migrate()

    for app in OURS:
        _migrate(app, "zero")
        assert _applied(app) == 0

        _migrate()
        assert _are_all_applied(app)
    call_command("migrate", check_unapplied=True, verbosity=0)


# Audit rows as version 4580de2 wrote them, by action: actor id and name, org text and details.
OLD_ROWS = {
    "person.changed": ("", "olga@acme.example", "", {"email": "dana@acme.example", "active": False}),
    "person.login": ("0f3c", "dana@acme.example", "", {}),
    "application_token.created": ("", "olga@acme.example", "", {"name": "nightly", "id": "a-token"}),
    "org.changed": ("", "olga@acme.example", "Hub@acme.example", {"fields": ["metadata"]}),
    "org.deleted": ("", "olga@acme.example", "gone@acme.example", {}),
    "pool_instance.fetched": ("", "ci", "dev1", {"repository": "Acme/App", "pool": "features"}),
    "access_token.handed_out": ("", "ci", "dev1 of acme/app", {}),
    "audit.expired_rows_deleted": ("", "sweep", "", {"rows": 3}),
    "request": ("", "ci", "", {"method": "GET"}),
}


def test_audit_rows_of_an_older_version_get_the_targets_that_they_name(empty_database):
    _migrate("authn", "0001_squashed_0013_drop_cache_table")
    _migrate("orgs", "0001_initial")
    _migrate("sandboxes", "0001_initial")
    models = (
        MigrationExecutor(connection)
        .loader.project_state(
            [("authn", "0001_squashed_0013_drop_cache_table"), ("sandboxes", "0001_initial"), ("orgs", "0001_initial")]
        )
        .apps
    )
    for action, (actor_id, actor_name, org, details) in OLD_ROWS.items():
        models.get_model("authn", "AuditEvent").objects.create(
            action=action, outcome="granted", actor_kind="user", actor_id=actor_id, actor_name=actor_name,
            org_username=org, details=details,
        )  # fmt: skip
    dana = models.get_model("authn", "User").objects.create(email="dana@acme.example")
    hub = models.get_model("orgs", "SalesforceOrg").objects.create(username="hub@acme.example")
    dev1 = models.get_model("sandboxes", "PoolInstance").objects.create(
        repository="acme/app", pool_tag="features", name="dev1", type="SANDBOX"
    )

    _migrate()

    columns = ("action", "target_kind", "target_id", "target_label")
    rows = AuditEvent.objects.values_list(*columns)
    assert {action: target for action, *target in rows} == {
        "person.changed": ["person", str(dana.pk), "dana@acme.example"],
        "person.login": ["person", "0f3c", "dana@acme.example"],
        "application_token.created": ["application_token", "a-token", "nightly"],
        "org.changed": ["org", str(hub.pk), "Hub@acme.example"],
        "org.deleted": ["org", "", "gone@acme.example"],
        "pool_instance.fetched": ["pool_instance", str(dev1.pk), "dev1 of Acme/App"],
        "access_token.handed_out": ["pool_instance", str(dev1.pk), "dev1 of acme/app"],
        "audit.expired_rows_deleted": ["setting", "AUDIT_RETENTION_DAYS", "AUDIT_RETENTION_DAYS"],
        "request": ["", "", ""],
    }


def test_the_three_rows_of_a_token_of_an_older_version_become_one_line(empty_database):
    _migrate("authn", "0001_squashed_0013_drop_cache_table")
    apps_before = (
        MigrationExecutor(connection).loader.project_state(("authn", "0001_squashed_0013_drop_cache_table")).apps
    )
    rows = apps_before.get_model("authn", "AuditEvent").objects
    actions = ("credential.refresh_sent", "credential.refresh_ended", "access_token.handed_out")
    for request_id in ("r1", "r2", ""):
        for action in actions:
            rows.create(
                action=action,
                outcome="granted",
                actor_kind="user",
                request_id=request_id,
                org_username="ci@acme.example",
            )
    rows.create(action=actions[0], outcome="attempted", actor_kind="user", request_id="died", org_username="ci")

    _migrate("authn")

    lines = AuditEvent.objects.lines().order_by("pk")
    assert [(line.action, line.request_id) for line in lines] == [
        (actions[2], "r1"),
        (actions[2], "r2"),
        *((action, "") for action in actions),  # A command has no request to find its rows by.
        (actions[0], "died"),
    ]
    assert [attempt.action for attempt in lines[0].attempts()] == [actions[1], actions[0]]


@pytest.mark.parametrize("app", OURS)
def test_an_app_migrates_alone_on_an_empty_database(app, empty_database):
    _migrate(app)

    assert _are_all_applied(app)


def test_the_users_app_works_without_orgs(empty_database, monkeypatch):
    for name, value in SUPERUSER.items():
        monkeypatch.setenv(name, value)
    printed = StringIO()
    _migrate("authn")

    call_command("createsuperuser", interactive=False, verbosity=0)
    call_command("issue_application_token", "ci", stdout=printed)

    assert printed.getvalue().startswith("fdt_")
    assert _applied("orgs") == 0


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


def test_an_upgrade_merges_the_spellings_of_a_repository(empty_database):
    _migrate()
    _migrate("sandboxes", "0001_initial")
    old = MigrationExecutor(connection).loader.project_state(("sandboxes", "0001_initial"))
    instances = old.apps.get_model("sandboxes", "PoolInstance").objects
    for number, (repository, name, status, assignment) in enumerate(
        [
            ("Acme/App", "dev1", "ASSIGNED", "pr-1"),
            ("acme/app", "dev1", "AVAILABLE", ""),
            ("acme/app.git", "dev2", "ASSIGNED", "pr-1"),
            ("ACME/app", "dev3", "ASSIGNED", "pr-1"),
            ("Acme/App", "dev2", "AVAILABLE", ""),
            ("emea/app", "dev1", "AVAILABLE", ""),
        ],
        start=1,
    ):
        added = datetime(2026, 1, number, tzinfo=UTC)
        instances.create(
            repository=repository, name=name, status=status, assignment_id=assignment, created_at=added, type="SANDBOX"
        )

    _migrate()

    assert list(instances.order_by("created_at").values_list("repository", "name", "status")) == [
        ("Acme/App", "dev1", "ASSIGNED"),
        ("Acme/App-2", "dev1", "AVAILABLE"),
        ("Acme/App-2", "dev2", "ASSIGNED"),
        ("Acme/App", "dev3", "EXPIRED"),
        ("Acme/App", "dev2", "AVAILABLE"),
        ("emea/app", "dev1", "AVAILABLE"),
    ]
