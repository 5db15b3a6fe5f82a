"""What a new desk says to the person who opened it: addresses, log-ins, and lines that can be pasted."""

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


def for_demo(port: int, emulator_port: int, folder: Path) -> str:
    """Return the text for a desk with the demo company behind it."""
    people = "\n".join(
        f"  {who:<12} {_email(folder / f'login-{who}.json')}, password in {folder.name}/login-{who}.json"
        for who in ("owner", "member")
    )
    lines = "\n\n".join(f"  # {what}\n  {line}" for what, line in _curl_lines(port))
    return f"""
Frontdesk with a demo company: everything is on this machine and made up.

Addresses
  Start page   http://localhost:{port}/ (for developers: the orgs that they may open)
  A link       http://localhost:{port}{_CONTINUE} (to share: asks for a log-in, then opens a sandbox)
  API          http://localhost:{port}/sfp/api (its documentation: http://localhost:{port}/sfp/api/docs)
  Console      http://localhost:{port}/console/ (for the owner)
  Salesforce   http://localhost:{emulator_port} (the emulator)

Log-ins
{people}
  application  a token for a CI job, in {folder.name}/application-token

Paste these into another terminal, in this folder

{lines}

Logs and keys lie in {folder.name}/; delete that folder to start over. Ctrl-C closes the desk.
Ready."""


def for_local(port: int) -> str:
    """Return the text for a desk without a demo."""
    return f"""
Frontdesk without a demo at http://localhost:{port}/sfp/api; its database and keys lie in .local/.
Make the first owner in another terminal, in this folder:

  ENV_FILE=.local/env .venv/bin/python manage.py createsuperuser

Ctrl-C closes the desk.
Ready."""


def _email(login: Path) -> str:
    return str(json.loads(login.read_text())["email"])


def _curl_lines(port: int) -> list[tuple[str, str]]:
    return [*_lines_of_registered_orgs(port), *_lines_on_demand(port)]


def _lines_of_registered_orgs(port: int) -> list[tuple[str, str]]:
    api = f"http://localhost:{port}/sfp/api/auth"
    orgs, named = f"{api}/salesforce", f"username={quote(_DEV_HUB)}"
    change = """-d '{"metadata": {"team": "release"}}'"""
    return [
        ("Log in", f"curl -sS -X POST '{api}/admin/login' {_JSON} -d @.demo/login-owner.json"),
        (
            "Register a sandbox",
            f"curl -sS -X POST '{orgs}/register' {_OWNER} {_JSON} -d @.demo/register-sandbox.json",
        ),
        ("List the orgs", f"curl -sS '{orgs}/orgs' {_OWNER}"),
        ("Read one org", f"curl -sS '{orgs}/org?{named}' {_APPLICATION}"),
        ("Describe it", f"curl -sS -X PATCH '{orgs}/org?{named}' {_OWNER} {_JSON} {change}"),
        ("Does its key still work?", f"curl -sS -X POST '{orgs}/test-connection?{named}' {_APPLICATION}"),
        ("Get an access token for it", f"curl -sS -X POST '{orgs}/access-token?{named}' {_APPLICATION}"),
        ("Which DevHub is the default?", f"curl -sS '{orgs}/default-devhub' {_APPLICATION}"),
        ("Get an access token for that", f"curl -sS -X POST '{orgs}/default-devhub/access-token' {_APPLICATION}"),
    ]


def _lines_on_demand(port: int) -> list[tuple[str, str]]:
    orgs, pools = f"http://localhost:{port}/sfp/api/auth/salesforce", f"http://localhost:{port}/sfp/api/pools/instances"
    return [
        (
            "Get one for a sandbox that nobody registered",
            f"curl -sS -X POST '{orgs}/sandbox/authenticate' {_APPLICATION} {_JSON} -d '{_SANDBOX}'",
        ),
        (
            "And for a scratch org",
            f"curl -sS -X POST '{orgs}/scratch/authenticate' {_APPLICATION} {_JSON} -d '{_SCRATCH}'",
        ),
        (
            "Register a sandbox by its name",
            f"curl -sS -X POST '{orgs}/register-sandbox-by-name' {_OWNER} {_JSON} -d '{_BY_NAME}'",
        ),
        (
            "Get a link that opens a sandbox in your browser, once, within a minute",
            f"curl -sS '{orgs}/frontdoor?target=dev2&redirect=false' {_APPLICATION}",
        ),
        (
            "Take an org from a pool, for a pull request",
            f"curl -sS -X POST '{pools}/fetch' {_APPLICATION} {_JSON} -d '{_FETCH}'",
        ),
        ("See who holds what", f"curl -sS '{pools}' {_APPLICATION}"),
        ("Give it back", f"curl -sS -X POST '{pools}/unassign' {_APPLICATION} {_JSON} -d '{_HELD}'"),
    ]
