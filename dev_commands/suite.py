"""`dev.py test`: linter, type checker and tests, the fastest first."""
# ruff: noqa: S603 -- starts the project's own tools

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from dev_commands import PYTHON, ROOT, fail, say
from dev_commands.environment import TEST_LOCK, make_environment

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def test(pytest_arguments: list[str]) -> None:
    """Run all steps, and stop at the first failure. With arguments, run pytest with these only."""
    make_environment(TEST_LOCK)
    if pytest_arguments:
        raise SystemExit(subprocess.run([PYTHON, "-m", "pytest", *pytest_arguments], cwd=ROOT, check=False).returncode)
    postgresql = os.environ.get("DATABASE_URL", "").startswith("postgres")
    if os.environ.get("FRONTDESK_REQUIRE_ALL") == "1":
        _require_all(postgresql=postgresql)
    on_sqlite = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    with_settings = on_sqlite | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    with tempfile.TemporaryDirectory() as folder:
        schema = str(Path(folder) / "openapi.yaml")
        _step("lint", on_sqlite, "-m", "ruff", "check")
        _step("format", on_sqlite, "-m", "ruff", "format", "--check")
        _step("types", on_sqlite, "-m", "mypy")
        _step("migrations", with_settings, "manage.py", "makemigrations", "--check", "--dry-run")
        _step("schema", with_settings, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", schema)
    _tests("SQLite", on_sqlite, "")
    if postgresql:
        _tests("PostgreSQL", dict(os.environ), "database and ")
    else:
        say("== tests on PostgreSQL: skipped, DATABASE_URL names no PostgreSQL database")
    say("== all passed")


def _tests(database: str, environment: dict[str, str], marks: str) -> None:
    """Run the tests in two workers, then those that need the machine to themselves.

    Each worker takes consecutive files, so module fixtures are built once; the first to finish takes over some of the
    other's.
    """
    workers = ("-n", "2", "--dist", "worksteal")
    _step(f"tests on {database}", environment, "-m", "pytest", *workers, "-m", f"{marks}not alone")
    _step(f"tests on {database} that run alone", environment, "-m", "pytest", "-m", f"{marks}alone")


def _require_all(*, postgresql: bool) -> None:
    missing = [] if postgresql else ["PostgreSQL (DATABASE_URL)"]
    missing += [] if any(map(shutil.which, _BROWSERS)) else ["chromium"]
    missing += [] if shutil.which("node") and shutil.which("npm") else ["Node with npm"]
    missing += [] if shutil.which("curl") else ["curl"]
    if missing:
        fail(f"FRONTDESK_REQUIRE_ALL=1, but these are missing: {', '.join(missing)}.")


def _step(name: str, environment: dict[str, str], *arguments: str) -> None:
    say(f"== {name}")
    began = time.monotonic()
    status = subprocess.run([PYTHON, *arguments], cwd=ROOT, env=environment, check=False).returncode
    say(f"== {name}: {'failed' if status else 'passed'} after {time.monotonic() - began:.1f} s")
    if status:
        raise SystemExit(1)
