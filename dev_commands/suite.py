"""`dev.py test`: lint, types and every test, in the order in which they fail fastest."""
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
    """Run all steps and stop at the first that fails; with arguments, run pytest alone with these."""
    make_environment(TEST_LOCK)
    if pytest_arguments:
        raise SystemExit(subprocess.run([PYTHON, "-m", "pytest", *pytest_arguments], cwd=ROOT, check=False).returncode)
    postgresql = os.environ.get("DATABASE_URL", "").startswith("postgres")
    if os.environ.get("FRONTDESK_REQUIRE_ALL") == "1":
        _need_all(postgresql=postgresql)
    on_sqlite = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    managing = on_sqlite | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    with tempfile.TemporaryDirectory() as folder:
        schema = str(Path(folder) / "openapi.yaml")
        _step("lint", on_sqlite, "-m", "ruff", "check")
        _step("format", on_sqlite, "-m", "ruff", "format", "--check")
        _step("types", on_sqlite, "-m", "mypy")
        _step("migrations", managing, "manage.py", "makemigrations", "--check", "--dry-run")
        _step("schema", managing, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--file", schema)
    _tests("SQLite", on_sqlite, "")
    if postgresql:
        _tests("PostgreSQL", dict(os.environ), "database and ")
    else:
        say("== tests on PostgreSQL: skipped, DATABASE_URL names none")
    say("== all passed")


def _tests(database: str, environment: dict[str, str], which: str) -> None:
    """Run the tests by two workers, then those that must have the machine to themselves."""
    _step(f"tests on {database}", environment, "-m", "pytest", "-n", "2", "-m", f"{which}not alone")
    _step(f"tests on {database} that run alone", environment, "-m", "pytest", "-m", f"{which}alone")


def _need_all(*, postgresql: bool) -> None:
    lacking = [] if postgresql else ["PostgreSQL (DATABASE_URL)"]
    lacking += [] if any(map(shutil.which, _BROWSERS)) else ["chromium"]
    lacking += [] if shutil.which("node") and shutil.which("npm") else ["Node with npm"]
    lacking += [] if shutil.which("curl") else ["curl"]
    if lacking:
        fail(f"FRONTDESK_REQUIRE_ALL=1, and these are missing: {', '.join(lacking)}.")


def _step(name: str, environment: dict[str, str], *arguments: str) -> None:
    say(f"== {name}")
    began = time.monotonic()
    status = subprocess.run([PYTHON, *arguments], cwd=ROOT, env=environment, check=False).returncode
    say(f"== {name}: {'failed' if status else 'passed'} after {time.monotonic() - began:.1f} s")
    if status:
        raise SystemExit(1)
