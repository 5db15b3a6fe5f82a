"""check_connections on a terminal: progress, and an interrupt."""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from orgs.salesforce.emulator import Emulator
from tests.orgs.factories import REGISTER
from tests.support.concurrency import wait_until
from tests.support.live_server import ROOT, live_desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.database
def test_a_terminal_shows_progress_and_an_interrupt_loses_no_token(tmp_path):
    world = Emulator()
    app = world.add_app("AcmeCI", "s3cret", rotates=True)
    with world.serve() as salesforce, live_desk(tmp_path, salesforce.url) as desk:
        for number in range(3):
            org = world.add_org(f"ci{number}.my.salesforce.com", username=f"ci{number}@acme.example")
            assert desk.send("POST", REGISTER, {"sfdxAuthUrl": org.auth_url(app)}).status == 201
        world.token_latency = 1.5

        process, terminal = _on_a_terminal(desk.environment, "--side-by-side=1")
        wait_until(lambda: any(grant.busy for grant in world.grants))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)

        shown = os.read(terminal, 65_536).decode()
        os.close(terminal)
        world.token_latency = 0.0
        again = json.loads(desk.manage("check_connections", "--json"))
    assert process.returncode == 130
    assert out == b""
    assert "Checking" in shown
    assert "Interrupted" in shown
    assert "Traceback" not in shown
    assert (again["checked"], again["dead"]) == (3, 0)
    assert all(grant.alive for grant in world.grants)


def _on_a_terminal(environment: dict[str, str], *arguments: str) -> tuple["subprocess.Popen[bytes]", int]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "manage.py", "check_connections", *arguments]
    environment = environment | {"TERM": "xterm"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    return process, ours
