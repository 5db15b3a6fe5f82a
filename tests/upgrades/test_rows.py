"""What an upgrade does to the rows of an older version."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from authn.models import AuditEvent
from tests.upgrades.steps import migrate

pytestmark = pytest.mark.database
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
    migrate("authn", "0001_squashed_0013_drop_cache_table")
    migrate("orgs", "0001_initial")
    migrate("sandboxes", "0001_initial")
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

    migrate()

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
    migrate("authn", "0001_squashed_0013_drop_cache_table")
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

    migrate("authn")

    lines = AuditEvent.objects.lines().order_by("pk")
    assert [(line.action, line.request_id) for line in lines] == [
        (actions[2], "r1"),
        (actions[2], "r2"),
        *((action, "") for action in actions),  # A command has no request to find its rows by.
        (actions[0], "died"),
    ]
    assert [attempt.action for attempt in lines[0].attempts()] == [actions[1], actions[0]]


def test_an_upgrade_merges_the_spellings_of_a_repository(empty_database):
    migrate()
    migrate("sandboxes", "0001_initial")
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

    migrate()

    assert list(instances.order_by("created_at").values_list("repository", "name", "status")) == [
        ("Acme/App", "dev1", "ASSIGNED"),
        ("Acme/App-2", "dev1", "AVAILABLE"),
        ("Acme/App-2", "dev2", "ASSIGNED"),
        ("Acme/App", "dev3", "EXPIRED"),
        ("Acme/App", "dev2", "AVAILABLE"),
        ("emea/app", "dev1", "AVAILABLE"),
    ]
