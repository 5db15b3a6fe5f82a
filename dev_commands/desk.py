"""`dev.py run` and `dev.py key`: Frontdesk on this machine, and bearer tokens for it."""

import errno
import json
import os
import secrets
import socket
import urllib.error
import urllib.request
from pathlib import Path

from config.env_file import KEYS
from dev_commands import ROOT, fail, guide, say
from dev_commands.children import Children, browser
from dev_commands.environment import RUN_LOCK, make_environment

DEMO, LOCAL = ROOT / ".demo", ROOT / ".local"
_PRIVATE = 0o077


def run(*, port: int, emulator_port: int, emulator: bool) -> None:
    """Start Frontdesk, print how to use it, and run until Ctrl-C or SIGTERM."""
    _require_free(port, "--port")
    if emulator:
        _require_free(emulator_port, "--emulator-port")
    make_environment(RUN_LOCK)
    public_umask = os.umask(_PRIVATE)
    folder = DEMO if emulator else LOCAL
    settings = _write_settings(folder, port, emulator_port if emulator else None)
    children = Children(folder, {**os.environ, **settings, "ENV_FILE": str(folder / "env"), "PYTHONUNBUFFERED": "1"})
    with children.stopping():
        address = f"127.0.0.1:{port}"
        _start(children, address, folder, emulator_port if emulator else None, public_umask)
        children.wait_for(f"http://{address}/readyz", 200)
        children.start("sweep", "manage.py", "sweep", "--every", "60")
        say(guide.for_demo(port, emulator_port, folder) if emulator else guide.for_local(port))
        children.watch()


def bearer(user: str) -> str:
    """Return a bearer token for the running demo: the application token, or the access token of a log-in as `user`."""
    try:
        if user == "application":
            return (DEMO / "application-token").read_text().strip()
        url = _read_settings(DEMO / "env")["PUBLIC_URL"]
        body = (DEMO / f"login-{user}.json").read_bytes()
    except (OSError, KeyError):
        fail("there is no demo yet. Start it with `python3 dev.py run`.")
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/sfp/api/auth/admin/login", body, headers)  # noqa: S310 -- on this machine
    try:
        with browser.open(request, timeout=15) as response:
            return str(json.load(response)["access_token"])
    except urllib.error.HTTPError as error:
        with error:
            fail(f"the log-in as {user} failed: {error.read().decode(errors='replace')}")
    except OSError:
        fail(f"Frontdesk does not respond at {url}. Start it with `python3 dev.py run`.")


def _start(children: Children, address: str, folder: Path, emulator_port: int | None, public_umask: int) -> None:
    """Start the web server, prepare its database, and start the emulator. Static files get `public_umask`."""
    web = ["-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", address, "config.wsgi"]
    if emulator_port is None:
        children.finish("migrate", "--verbosity", "0")
        children.finish("collectstatic", "--noinput", "--verbosity", "0", umask=public_umask)
        children.start("web", *web)
        return
    options = ["--port", str(emulator_port), "--state", str(folder / "salesforce.json")]
    children.start("salesforce", "-m", "orgs.salesforce.emulator", *options)
    # While the demo is prepared, which saves two seconds: it opens the database at the first request.
    children.start("web", *web)
    # The emulator serves Salesforce hosts only, and responds with 404 at its own address.
    children.wait_for(f"http://127.0.0.1:{emulator_port}/", 200, 404)
    children.finish("prepare_demo", "--directory", str(folder))


def _require_free(port: int, option: str) -> None:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                fail(f"port {port} is in use. Stop that process, or choose another port with {option}.")
            if family == socket.AF_INET:
                fail(f"port {port} cannot be used ({error.strerror}). Choose another port with {option}.")


def _write_settings(folder: Path, port: int, emulator_port: int | None) -> dict[str, str]:
    """Return the settings and write them to the folder. Secrets are generated once, the rest at each start."""
    _make_private(folder)
    (folder / ".gitignore").write_text("*\n")
    file = folder / "env"
    settings = {key: secrets.token_urlsafe(48) for key in KEYS} | _read_settings(file)
    settings["PUBLIC_URL"] = f"http://localhost:{port}"
    settings["ALLOWED_HOSTS"] = "localhost,127.0.0.1"
    settings["SPOOL_DIR"] = str(folder / "spool")
    settings["DATABASE_URL"] = f"sqlite:///{folder / 'frontdesk.sqlite3'}"
    if emulator_port is not None:
        settings |= {"DEMO": "true", "SALESFORCE_GATEWAY": f"http://localhost:{emulator_port}"}
    partial = folder / "env.part"
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    partial.replace(file)
    return settings


def _make_private(folder: Path) -> None:
    """Create a folder that only this user can read, and restrict files that an earlier start left in it."""
    folder.mkdir(exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~_PRIVATE)


def _read_settings(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: value for name, found, value in (line.partition("=") for line in lines) if found}
