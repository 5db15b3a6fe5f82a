"""`python3 dev.py run`, as a newcomer runs it: every command that it prints works."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from orgs.salesforce.emulator import Emulator
from tests.support.proxy import Proxy

ROOT = Path(__file__).parent.parent
START_SECONDS = 60

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project beside the installed environment, so that an existing demo is not changed."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("dev.py", "manage.py", "requirements.txt", "requirements-dev.txt", "requirements-bootstrap.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("dev_commands", "config", "authn", "orgs", "sandboxes", "templates", "static"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return folder


def _environment(**variables: str) -> dict[str, str]:
    """Return the environment of a newcomer's terminal, without what the tests have set."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | variables


@contextmanager
def _running(checkout: Path, *options: str, **variables: str) -> Iterator[str]:
    """Run a desk with options of `dev.py run`; gives what it printed."""
    log = checkout / "run.log"
    with log.open("w") as out:
        command = [sys.executable, "dev.py", "run", *options]
        running = subprocess.Popen(command, cwd=checkout, env=_environment(**variables), stdout=out, stderr=out)
    until = time.monotonic() + START_SECONDS
    while "\nReady." not in log.read_text() and running.poll() is None and time.monotonic() < until:
        time.sleep(0.1)
    try:
        assert "\nReady." in log.read_text(), log.read_text()
        yield log.read_text()
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0, log.read_text()


@pytest.fixture(scope="module")
def desk(checkout: Path) -> Iterator[str]:
    """A running desk; gives what it printed."""
    port, emulator_port = _free_ports()
    older = checkout / ".demo" / "older.log"  # Of an earlier start, which left its files open to others.
    older.parent.mkdir(mode=0o755)
    older.touch(mode=0o644)
    with _running(checkout, "--port", str(port), "--emulator-port", str(emulator_port)) as printed:
        yield printed


def _run(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = _environment(**variables)
    return subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_every_line_that_it_prints_works_and_leaves_the_prompt_on_a_new_line(desk, checkout):
    lines = re.findall(r"^  (curl .*)$", desk, re.MULTILINE)

    assert len(lines) >= 9
    for line in lines:
        ended = _run(f"{line} --dump-header head.txt", checkout)
        status = (checkout / "head.txt").read_text().split()[1]
        assert status in ("200", "201"), f"{line}\n{ended.stdout}{ended.stderr}"
        assert re.search(r"[\]}]\n\Z", ended.stdout), line


def test_every_address_that_it_prints_leads_to_a_page(desk):
    addresses = re.findall(r"^  [A-Z][A-Za-z ]+ (http://localhost:\S+)", desk, re.MULTILINE)
    addresses += re.findall(r"documentation: (http://\S+)\)", desk)
    ask = ["curl", "-sS", "-L", "-H", "Accept: text/html", "-o", os.devnull, "-w", "%{http_code}"]

    responses = {
        address: subprocess.run([*ask, address], capture_output=True, text=True, timeout=30).stdout
        for address in addresses
        if "/" in address.removeprefix("http://")  # The emulator's root has no page.
    }

    assert len(responses) == 5
    assert set(responses.values()) == {"200"}, responses


def test_the_folder_of_the_demo_and_all_in_it_are_private(desk, checkout):
    demo = checkout / ".demo"

    open_to_others = [path.name for path in (demo, *demo.rglob("*")) if path.stat().st_mode & 0o077]

    assert open_to_others == []
    assert {"env", "frontdesk.sqlite3", "spool", "web.log", "older.log"} <= {path.name for path in demo.iterdir()}


def test_it_prints_no_secret(desk, checkout):
    token = (checkout / ".demo" / "application-token").read_text().strip()
    keys = re.findall(r"=(.{30,})$", (checkout / ".demo" / "env").read_text(), re.MULTILINE)

    assert token not in desk
    assert not [key for key in keys if key in desk and not key.startswith(("http", "sqlite"))]


def test_the_demo_starts_with_two_weeks_of_history_and_an_org_that_salesforce_refuses(desk, checkout):
    manage = f"ENV_FILE=.demo/env .venv/bin/python manage.py shell --no-imports -c '{_FACTS}'"

    facts = json.loads(_run(manage, checkout).stdout)

    assert facts["uat"] == ["expired", "CREDENTIAL_EXPIRED"]
    assert facts["refusals of uat"] >= 1
    assert facts["others"] == ["healthy"]
    assert (facts["days"], facts["ordered"]) == (14, True)
    assert facts["principals"] >= 4
    assert len(facts["refused"]) >= 2


_FACTS = """
import json
from authn.models import AuditEvent
from orgs.models import SalesforceOrg
uat = SalesforceOrg.objects.get(username="devhub@acme.example.uat").credential
history = AuditEvent.objects.filter(details__demo="history").order_by("id")
tokens = history.filter(action="access_token.handed_out", outcome="granted")
times = list(history.values_list("at", flat=True))
print(json.dumps({
    "uat": [uat.health, uat.reason],
    "refusals of uat": AuditEvent.objects.filter(
        action="org.connection_tested", outcome="failed", code="CREDENTIAL_EXPIRED", target_label__endswith=".uat"
    ).count(),
    "others": sorted(set(SalesforceOrg.objects.exclude(credential=uat).values_list("credential__health", flat=True))),
    "days": len({at.date() for at in tokens.values_list("at", flat=True)} | {AuditEvent.objects.first().at.date()}),
    "ordered": times == sorted(times),
    "principals": len(set(tokens.values_list("actor_name", flat=True))),
    "refused": sorted(set(history.filter(outcome="refused").values_list("actor_name", flat=True))),
}))
"""


def test_without_the_emulator_it_leads_to_a_first_owner_and_a_first_org(checkout):
    port, _ = _free_ports()
    emulator = Emulator()
    org = emulator.add_org("acme.my.salesforce.com", username="ci@acme.example")
    owner = {"email": "olga@acme.example", "password": "correct-horse-battery-staple"}
    with emulator.serve(tls=True) as salesforce, Proxy(tunnels_to=salesforce.port) as proxy:
        way = {"SALESFORCE_PROXY": proxy.url, "SALESFORCE_CA_BUNDLE": salesforce.ca_bundle}
        with _running(checkout, "--no-emulator", "--port", str(port), **way) as printed:
            create = re.findall(r"^  (ENV_FILE=.*createsuperuser)$", printed, re.MULTILINE)[0]
            answers = {"DJANGO_SUPERUSER_EMAIL": owner["email"], "DJANGO_SUPERUSER_PASSWORD": owner["password"]}
            assert _run(f"{create} --noinput", checkout, **answers).returncode == 0
            api = re.findall(r"^  API +(http://\S+)", printed, re.MULTILINE)[0]
            bearer = _post(f"{api}/auth/admin/login", owner)["access_token"]
            registered = _post(f"{api}/auth/salesforce/register", {"sfdxAuthUrl": org.auth_url()}, bearer)
            pages = re.findall(r"^  [A-Z][A-Za-z ]+ (http://localhost:\S+)", printed, re.MULTILINE)
            found = {
                page: _run(f"curl -sS -L -o {os.devnull} -w '%{{http_code}}' {page}", checkout).stdout for page in pages
            }

    assert registered["username"] == "ci@acme.example"
    assert len(found) == 3
    assert set(found.values()) == {"200"}, found
    assert "correct-horse" not in printed


def _post(url: str, content: dict[str, str], bearer: str = "") -> dict[str, str]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
    response = requests.post(url, json=content, headers=headers, timeout=30)
    assert response.ok, response.text
    answer: dict[str, str] = response.json()
    return answer


def test_a_taken_port_is_named_with_the_option_that_changes_it(checkout):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "dev.py", "run", "--port", str(port)],
            cwd=checkout,
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert ended.returncode == 1
    assert "--port" in ended.stderr


def test_a_key_without_a_demo_says_what_to_do(tmp_path, checkout):
    shutil.copy(checkout / "dev.py", tmp_path)
    for folder in ("dev_commands", "config"):
        shutil.copytree(checkout / folder, tmp_path / folder)

    ended = subprocess.run(
        [sys.executable, "dev.py", "key", "owner"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 1
    assert "python3 dev.py run" in ended.stderr
