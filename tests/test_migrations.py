"""Every migration of ours can be taken back and done again, and each app's alone on an empty database."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import ACCESS_TOKEN, REGISTER
from tests.support.live_server import PASSWORD, ROOT, Desk, a_database, environment_of

pytestmark = [pytest.mark.database, pytest.mark.django_db]
OURS = [config.label for config in apps.get_app_configs() if (ROOT / config.label / "migrations").is_dir()]


@pytest.fixture
def world() -> Iterator[tuple[Emulator, Any]]:
    emulator = Emulator()
    with emulator.serve() as server:
        yield emulator, server


@pytest.fixture
def desk(tmp_path, world) -> Iterator[Desk]:
    """A desk that was not opened yet: its database is empty."""
    with a_database(tmp_path) as database_url:
        desk = Desk(tmp_path, environment_of(tmp_path, world[1].url, database_url))
        yield desk
        desk.stop()


def _applied(desk: Desk, app: str) -> dict[str, bool]:
    """Return the migrations of an app, and whether each was done."""
    lines = desk.manage("showmigrations", app, "--no-color").splitlines()[1:]
    return {line.split()[-1]: line.strip().startswith("[X]") for line in lines}


def test_there_are_apps_to_migrate():
    assert {"authn", "orgs"} <= set(OURS)


def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_the_table_of_the_former_cache_is_dropped():
    call_command("migrate", "authn", "0012_access_epoch", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE frontdesk_cache (cache_key varchar(255) PRIMARY KEY)")

    call_command("migrate", verbosity=0)

    assert "frontdesk_cache" not in connection.introspection.table_names()


@pytest.mark.parametrize("app", OURS)
def test_an_app_goes_to_zero_and_back(app, desk):
    desk.manage("migrate", "--verbosity", "0")

    desk.manage("migrate", app, "zero", "--verbosity", "0")
    undone = _applied(desk, app)
    desk.manage("migrate", "--verbosity", "0")

    assert undone
    assert not any(undone.values())
    assert all(_applied(desk, app).values())
    desk.manage("migrate", "--check")


@pytest.mark.parametrize("app", OURS)
def test_an_app_migrates_alone_on_an_empty_database(app, desk):
    desk.manage("migrate", app, "--verbosity", "0")

    assert all(_applied(desk, app).values())


def test_people_need_no_orgs(desk):
    desk.manage("migrate", "authn", "--verbosity", "0")
    people = {"DJANGO_SUPERUSER_EMAIL": "owner@acme.example", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}

    desk.manage("createsuperuser", "--noinput", **people)

    assert desk.manage("issue_application_token", "ci").startswith("fdt_")
    assert not any(_applied(desk, "orgs").values())


def test_an_org_can_be_registered_after_orgs_went_to_zero_and_back(desk, world):
    url = world[0].add_org("ci.my.salesforce.com", username="ci@acme.example").auth_url()
    desk.manage("migrate", "--verbosity", "0")
    desk.manage("migrate", "orgs", "zero", "--verbosity", "0")
    desk.manage("migrate", "--verbosity", "0")
    people = {"DJANGO_SUPERUSER_EMAIL": "owner@acme.example", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    desk.manage("createsuperuser", "--noinput", **people)
    desk.start()
    desk.log_in()

    registered = desk.send("POST", REGISTER, {"sfdxAuthUrl": url})

    assert registered.status == 201, registered.text
    assert json.loads(registered.text)["username"] == "ci@acme.example"
    assert desk.send("POST", f"{ACCESS_TOKEN}?username=ci@acme.example").status == 200
