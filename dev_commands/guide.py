"""The text that `dev.py run` prints: addresses, log-ins, and commands to paste."""

import json
from pathlib import Path
from urllib.parse import quote

# The default DevHub of the demo: sandboxes/management/commands/prepare_demo.py.
_DEV_HUB = "devhub@acme.example"
_OWNER, _APPLICATION = (f'-H "Authorization: Bearer $(python3 dev.py key {who})"' for who in ("owner", "application"))
_SANDBOX, _SCRATCH = '{"sandboxName": "dev2"}', '{"scratchOrgUsername": "test-scratch1@acme.example"}'
_BY_NAME = '{"sandboxName": "dev3", "productionUsername": "devhub@acme.example"}'
_CONTINUE = "/sfp/api/auth/continue?action=frontDoorUrl&params=targetOrg:dev2"
_HELD = '{"repository": "acme/app", "assignmentId": "pull-request-7"}'
_FETCH = _HELD.replace("}", ', "poolTag": "features"}')
_JSON = "-H 'Content-Type: application/json'"
# With a newline after the response, so that the prompt is on a line of its own.
_CURL = "curl -sS -w '\\n'"


def for_demo(port: int, emulator_port: int, folder: Path) -> str:
    """Return the text for Frontdesk with demo data."""
    users = "\n".join(
        f"  {who:<12} {_email(folder / f'login-{who}.json')}, password in {folder.name}/login-{who}.json"
        for who in ("owner", "member")
    )
    commands = "\n\n".join(f"  # {title}\n  {command}" for title, command in _commands(port))
    return f"""
Frontdesk is running with demo data and an emulated Salesforce, on this machine only.

Addresses
  Home page    http://localhost:{port}/ (for developers: the orgs that they may open)
  Shared link  http://localhost:{port}{_CONTINUE} (opens a sandbox after a log-in)
  API          http://localhost:{port}/sfp/api (documentation: http://localhost:{port}/sfp/api/docs)
  Console      http://localhost:{port}/console/ (for owners)
  Salesforce   http://localhost:{emulator_port} (the emulator)

Log-ins
{users}
  application  a token for a CI job, in {folder.name}/application-token

Commands to paste into another terminal, in this folder

{commands}

Logs and secrets are in {folder.name}/. Delete that folder to start over. Press Ctrl-C to stop.
Ready."""


def for_local(port: int) -> str:
    """Return the text for Frontdesk without demo data."""
    return f"""
Frontdesk is running without demo data, on this machine only.

Addresses
  Start page  http://localhost:{port}/
  Console     http://localhost:{port}/console/ (for owners: register the first org here)
  API         http://localhost:{port}/sfp/api (documentation: http://localhost:{port}/sfp/api/docs)

Command that creates the first owner, in another terminal, in this folder

  ENV_FILE=.local/env .venv/bin/python manage.py createsuperuser

The database and the secrets are in .local/: keep this folder to keep your orgs. Press Ctrl-C to stop.
Ready."""


def _email(login: Path) -> str:
    return str(json.loads(login.read_text())["email"])


def _commands(port: int) -> list[tuple[str, str]]:
    return [*_commands_for_registered_orgs(port), *_commands_on_demand(port)]


def _commands_for_registered_orgs(port: int) -> list[tuple[str, str]]:
    api = f"http://localhost:{port}/sfp/api/auth"
    orgs, named = f"{api}/salesforce", f"username={quote(_DEV_HUB)}"
    change = """-d '{"metadata": {"team": "release"}}'"""
    return [
        ("Log in", f"{_CURL} -X POST '{api}/admin/login' {_JSON} -d @.demo/login-owner.json"),
        (
            "Register a sandbox",
            f"{_CURL} -X POST '{orgs}/register' {_OWNER} {_JSON} -d @.demo/register-sandbox.json",
        ),
        ("List the orgs", f"{_CURL} '{orgs}/orgs' {_OWNER}"),
        ("Get one org", f"{_CURL} '{orgs}/org?{named}' {_APPLICATION}"),
        ("Change its metadata", f"{_CURL} -X PATCH '{orgs}/org?{named}' {_OWNER} {_JSON} {change}"),
        ("Test its connection", f"{_CURL} -X POST '{orgs}/test-connection?{named}' {_APPLICATION}"),
        ("Get an access token for it", f"{_CURL} -X POST '{orgs}/access-token?{named}' {_APPLICATION}"),
        ("Get the default DevHub", f"{_CURL} '{orgs}/default-devhub' {_APPLICATION}"),
        (
            "Get an access token for that DevHub",
            f"{_CURL} -X POST '{orgs}/default-devhub/access-token' {_APPLICATION}",
        ),
    ]


def _commands_on_demand(port: int) -> list[tuple[str, str]]:
    orgs, pools = f"http://localhost:{port}/sfp/api/auth/salesforce", f"http://localhost:{port}/sfp/api/pools/instances"
    return [
        (
            "Get an access token for a sandbox that is not registered",
            f"{_CURL} -X POST '{orgs}/sandbox/authenticate' {_APPLICATION} {_JSON} -d '{_SANDBOX}'",
        ),
        (
            "Get an access token for a scratch org that is not registered",
            f"{_CURL} -X POST '{orgs}/scratch/authenticate' {_APPLICATION} {_JSON} -d '{_SCRATCH}'",
        ),
        (
            "Register a sandbox by its name",
            f"{_CURL} -X POST '{orgs}/register-sandbox-by-name' {_OWNER} {_JSON} -d '{_BY_NAME}'",
        ),
        (
            "Get a one-time link that opens a sandbox in a browser, within a minute",
            f"{_CURL} '{orgs}/frontdoor?target=dev2&redirect=false' {_APPLICATION}",
        ),
        (
            "Fetch an org from a pool, for a pull request",
            f"{_CURL} -X POST '{pools}/fetch' {_APPLICATION} {_JSON} -d '{_FETCH}'",
        ),
        ("List the pool instances and their assignments", f"{_CURL} '{pools}' {_APPLICATION}"),
        ("Return the org to the pool", f"{_CURL} -X POST '{pools}/unassign' {_APPLICATION} {_JSON} -d '{_HELD}'"),
    ]
