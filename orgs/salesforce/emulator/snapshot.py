"""Saves the emulator to a file and loads it again: the demo's tokens outlive a restart."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

from orgs.salesforce.emulator.emulator import Emulator
from orgs.salesforce.emulator.models import App, Grant, Org, SandboxProcess, ScratchRecord, Session, User
from orgs.salesforce.emulator.state import State

_KEPT_PER_GRANT = 100


class _AppSnapshot(TypedDict):
    client_id: str
    secret: str
    rotates: bool
    installed: bool


class _OrgSnapshot(TypedDict):
    host: str
    kind: str
    organization_type: str
    instance_name: str
    name: str
    is_dev_hub: bool
    org_id: str
    trial_expiration: str | None
    parent_host: str
    sandbox_name: str
    creator: str
    usernames: list[str]
    processes: list[dict[str, Any]]
    scratch_records: list[dict[str, Any]]


class _GrantSnapshot(TypedDict):
    user: str
    app: str
    newest: str
    spent: list[str]
    alive: bool
    sessions: list[tuple[str, float]]


class _Snapshot(TypedDict):
    apps: list[_AppSnapshot]
    orgs: list[_OrgSnapshot]
    grants: list[_GrantSnapshot]


def save(state: State, path: Path) -> None:
    """Write the state to a private file, atomically."""
    with state.lock:
        content = json.dumps(_snapshot(state))
    unfinished = path.with_suffix(".part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(content)
    os.replace(unfinished, path)


def load(path: Path) -> Emulator:
    """Return an emulator with the state that `save` wrote."""
    content: _Snapshot = json.loads(path.read_text())
    emulator = Emulator()
    for app in content["apps"]:
        emulator.add_app(**app)
    for org in content["orgs"]:
        _load_org(emulator, org)
    users = {user.username: user for org in emulator.orgs for user in org.users}
    for grant in content["grants"]:
        _load_grant(emulator, grant, users[grant["user"]])
    return emulator


def _load_org(emulator: Emulator, content: _OrgSnapshot) -> None:
    first, *others = content["usernames"]
    org = emulator.add_org(
        content["host"],
        username=first,
        kind=content["kind"],
        organization_type=content["organization_type"],
        instance_name=content["instance_name"],
        name=content["name"],
        is_dev_hub=content["is_dev_hub"],
    )
    org.org_id, org.trial_expiration = content["org_id"], content["trial_expiration"]
    org.parent_host, org.sandbox_name = content["parent_host"], content["sandbox_name"]
    org.creator = content["creator"]
    for username in others:
        org.add_user(username)
    org.processes = [SandboxProcess(**process) for process in content["processes"]]
    org.scratch_records = [ScratchRecord(**record) for record in content["scratch_records"]]


def _load_grant(emulator: Emulator, content: _GrantSnapshot, user: User) -> None:
    app = emulator.apps[content["app"]]
    grant = Grant(user, app, content["newest"], set(content["spent"]), content["alive"])
    emulator.grants.append(grant)
    for token, expires_at in content["sessions"]:
        emulator.sessions[token] = Session(token, grant, expires_at)


def _snapshot(state: State) -> _Snapshot:
    return {
        "apps": [_app_snapshot(app) for app in state.apps.values()],
        "orgs": [_org_snapshot(org) for org in state.orgs],
        "grants": [_grant_snapshot(state, grant) for grant in state.grants],
    }


def _app_snapshot(app: App) -> _AppSnapshot:
    return {"client_id": app.client_id, "secret": app.secret, "rotates": app.rotates, "installed": app.installed}


def _org_snapshot(org: Org) -> _OrgSnapshot:
    return {
        "host": org.host,
        "kind": org.kind,
        "organization_type": org.organization_type,
        "instance_name": org.instance_name,
        "name": org.name,
        "is_dev_hub": org.is_dev_hub,
        "org_id": org.org_id,
        "trial_expiration": org.trial_expiration,
        "parent_host": org.parent_host,
        "sandbox_name": org.sandbox_name,
        "creator": org.creator,
        "usernames": [user.username for user in org.users],
        "processes": [asdict(process) for process in org.processes],
        "scratch_records": [asdict(record) for record in org.scratch_records],
    }


def _grant_snapshot(state: State, grant: Grant) -> _GrantSnapshot:
    sessions = [
        (session.token, session.expires_at)
        for session in state.sessions.values()
        if session.grant is grant and session.alive and session.expires_at > state.clock()
    ]
    return {
        "user": grant.user.username,
        "app": grant.app.client_id,
        "newest": grant.newest,
        "spent": sorted(grant.spent)[-_KEPT_PER_GRANT:],
        "alive": grant.alive,
        "sessions": sessions[-_KEPT_PER_GRANT:],
    }
