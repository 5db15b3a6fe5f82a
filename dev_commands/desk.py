"""`dev.py run` and `dev.py key`: a desk on this machine, and bearers for it."""

import errno
import json
import os
import secrets
import socket
import urllib.error
import urllib.request
from pathlib import Path

from dev_commands import ROOT, fail, guide, say
from dev_commands.children import Children, browser
from dev_commands.environment import RUN_LOCK, make_environment

DEMO, LOCAL = ROOT / ".demo", ROOT / ".local"
_PRIVATE = 0o077
KEYS = ("SECRET_KEY", "FERNET_KEYS", "JWT_SIGNING_KEY", "AUDIT_KEY")


def run(*, port: int, emulator_port: int, emulator: bool) -> None:
    """Open a desk, say how to use it, and keep it open until Ctrl-C or SIGTERM."""
    _need_free(port, "--port")
    if emulator:
        _need_free(emulator_port, "--emulator-port")
    make_environment(RUN_LOCK)
    usual = os.umask(_PRIVATE)
    folder = DEMO if emulator else LOCAL
    settings = _write_settings(folder, port, emulator_port if emulator else None)
    children = Children(folder, {**os.environ, **settings, "ENV_FILE": str(folder / "env"), "PYTHONUNBUFFERED": "1"})
    with children.ending():
        where = f"127.0.0.1:{port}"
        _start(children, where, folder, emulator_port if emulator else None, usual)
        children.wait_for(f"http://{where}/readyz", 200)
        children.start("sweep", "manage.py", "sweep", "--every", "60")
        say(guide.for_demo(port, emulator_port, folder) if emulator else guide.for_local(port))
        children.watch()


def bearer(who: str) -> str:
    """Return a bearer for the running demo: the application's token, or one that a person gets by logging in."""
    try:
        if who == "application":
            return (DEMO / "application-token").read_text().strip()
        desk = _read_settings(DEMO / "env")["PUBLIC_URL"]
        body = (DEMO / f"login-{who}.json").read_bytes()
    except (OSError, KeyError):
        fail("there is no demo yet; make it with `python3 dev.py run`.")
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{desk}/sfp/api/auth/admin/login", body, headers)  # noqa: S310 -- our own desk
    try:
        with browser.open(request, timeout=15) as answer:
            return str(json.load(answer)["access_token"])
    except urllib.error.HTTPError as error:
        with error:
            fail(f"the desk refused to log {who} in: {error.read().decode(errors='replace')}")
    except OSError:
        fail(f"no desk answers at {desk}; open it with `python3 dev.py run`.")


def _start(children: Children, where: str, folder: Path, emulator_port: int | None, usual: int) -> None:
    """Start the web server, and before it or beside it what it needs. `usual` is the umask for public files."""
    web = ["-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", where, "config.wsgi"]
    if emulator_port is None:
        children.finish("migrate", "--verbosity", "0")
        children.finish("collectstatic", "--noinput", "--verbosity", "0", umask=usual)
        children.start("web", *web)
        return
    options = ["--port", str(emulator_port), "--state", str(folder / "salesforce.json")]
    children.start("salesforce", "-m", "orgs.salesforce.emulator", *options)
    # Beside the preparation, which saves two seconds: it opens the database when it is first asked.
    children.start("web", *web)
    # The emulator knows Salesforce's hosts only, so that 404 is what it says to its own address.
    children.wait_for(f"http://127.0.0.1:{emulator_port}/", 200, 404)
    children.finish("prepare_demo", "--directory", str(folder))


def _need_free(port: int, option: str) -> None:
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                fail(f"port {port} is taken; end what listens there, or choose another one with {option}.")
            if family == socket.AF_INET:
                fail(f"port {port} cannot be used ({error.strerror}); choose another one with {option}.")


def _write_settings(folder: Path, port: int, emulator_port: int | None) -> dict[str, str]:
    """Return the settings of this desk and keep them in its folder. Keys are made once, the rest at each start."""
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
    unfinished = folder / "env.part"
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    unfinished.replace(file)
    return settings


def _make_private(folder: Path) -> None:
    """Make a folder that only its user can read, and do the same to what an older start has left in it."""
    folder.mkdir(exist_ok=True)
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~_PRIVATE)


def _read_settings(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines() if file.exists() else []
    return {name: value for name, found, value in (line.partition("=") for line in lines) if found}
