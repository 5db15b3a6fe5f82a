"""The file of settings: `init` writes it with new keys, and every command names what is missing in it."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
KEYS = ("SECRET_KEY", "FERNET_KEYS", "JWT_SIGNING_KEY", "AUDIT_KEY")
# Without the packages of this environment, as on a machine where nothing is installed.
INIT = {"manage.py": [sys.executable, "-S", "manage.py", "init"], "dev.py": [sys.executable, "-S", "dev.py", "init"]}
STARTS = {
    "check": ["manage.py", "check"],
    "migrate": ["manage.py", "migrate"],
    "createsuperuser": ["manage.py", "createsuperuser", "--noinput"],
    "sweep": ["manage.py", "sweep"],
    "gunicorn": ["-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", "127.0.0.1:0", "config.wsgi"],
    "another web server": ["-c", "import config.wsgi"],
}


def _run(command: list[str], env_file: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    environment |= {"PATH": os.environ["PATH"], "ENV_FILE": str(env_file)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("command", STARTS.values(), ids=STARTS)
def test_an_untouched_template_names_every_missing_setting(command):
    ended = _run([sys.executable, *command], ROOT / ".env.example")

    assert ended.returncode == 1
    assert "Required settings are missing: SECRET_KEY, FERNET_KEYS, JWT_SIGNING_KEY, AUDIT_KEY." in ended.stderr
    assert "manage.py init" in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_an_environment_without_settings_names_the_addresses_too(tmp_path):
    ended = _run([sys.executable, "manage.py", "check"], tmp_path / "none")

    assert "AUDIT_KEY, PUBLIC_URL, ALLOWED_HOSTS." in ended.stderr


@pytest.mark.parametrize("command", ["manage.py", "gunicorn"])
def test_an_invalid_value_is_named_without_a_traceback(command):
    ended = _run([sys.executable, *STARTS["check" if command == "manage.py" else command]], Path(os.devnull), DEMO="x")

    assert (ended.returncode, "DEMO must be true or false." in ended.stderr) == (1, True)
    assert "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", INIT.values(), ids=INIT)
def test_init_writes_a_private_file_with_new_keys(command, tmp_path):
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        ended = _run(command, file)

        assert ended.returncode == 0, ended.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "Set in it: PUBLIC_URL and ALLOWED_HOSTS" in ended.stdout

    lines = [line.partition("=") for file in files for line in file.read_text().splitlines()]
    keys = [value for name, _, value in lines if name in (*KEYS, "POSTGRES_PASSWORD")]
    assert len(keys) == len(set(keys)) == 10
    assert min(map(len, keys)) >= 32
    assert not any(key in ended.stdout + ended.stderr for key in keys)


def test_a_desk_accepts_the_file_of_init(tmp_path):
    _run(INIT["manage.py"], tmp_path / "env")

    checked = _run([sys.executable, "manage.py", "check"], tmp_path / "env", SPOOL_DIR=str(tmp_path / "spool"))

    assert checked.returncode == 0, checked.stderr


def test_a_file_that_windows_saved_with_a_byte_order_mark_is_read(tmp_path):
    file = tmp_path / "env"
    _run(INIT["manage.py"], file)
    settings = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    file.write_text("\r\n".join(settings), encoding="utf-8-sig")

    checked = _run([sys.executable, "manage.py", "check"], file, SPOOL_DIR=str(tmp_path / "spool"))

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(("option", "status"), [("--help", 0), ("--force", 2)])
@pytest.mark.parametrize("command", INIT.values(), ids=INIT)
def test_init_writes_nothing_when_it_is_asked_for_help_or_with_unknown_options(command, option, status, tmp_path):
    ended = _run([*command, option], tmp_path / "env")

    assert (ended.returncode, "usage:" in ended.stdout + ended.stderr) == (status, True)
    assert not (tmp_path / "env").exists()


@pytest.mark.parametrize("command", INIT.values(), ids=INIT)
def test_init_never_changes_a_file(command, tmp_path):
    existing, link, target = tmp_path / "env", tmp_path / "link", tmp_path / "target"
    existing.write_text("FERNET_KEYS=precious\n")
    link.symlink_to(target)

    for file in (existing, link):
        ended = _run(command, file)

        assert (ended.returncode, "was not changed" in ended.stderr) == (1, True)
    assert existing.read_text() == "FERNET_KEYS=precious\n"
    assert not target.exists()


def test_init_names_a_folder_that_it_cannot_write_to(tmp_path):
    ended = _run(INIT["manage.py"], tmp_path / "none" / "env")

    assert ended.returncode == 1
    assert f"{tmp_path / 'none' / 'env'} was not written: No such file or directory" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_init_without_an_env_file_writes_into_the_project(tmp_path):
    for name in ("manage.py", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "config").mkdir()
    for name in ("__init__.py", "env_file.py"):
        shutil.copy(ROOT / "config" / name, tmp_path / "config")

    subprocess.run(
        [sys.executable, "-S", str(tmp_path / "manage.py"), "init"],
        env={"PATH": os.environ["PATH"]},
        cwd="/",
        check=True,
        capture_output=True,
    )

    assert (tmp_path / ".env").exists()
