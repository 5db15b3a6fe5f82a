"""Keeps a world on disk, so that the tokens of the demo outlive a restart."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orgs.salesforce.emulator.core import Emulator
from orgs.salesforce.emulator.models import Grant, SandboxProcess, ScratchRecord, Session

_ORG_FACTS = (
    "host",
    "kind",
    "organization_type",
    "instance_name",
    "name",
    "is_dev_hub",
)
# What add_org does not take.
_LATER_FACTS = ("org_id", "trial_expiration", "parent_host", "sandbox_name", "creator")


def save(world: Emulator, path: Path) -> None:
    """Write the world, whole or not at all."""
    with world.lock:
        content = json.dumps(_content(world))
    unfinished = path.with_suffix(".part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(content)
    os.replace(unfinished, path)


def load(path: Path) -> Emulator:
    """Read a world that `save` wrote."""
    content = json.loads(path.read_text())
    world = Emulator()
    for app in content["apps"]:
        world.add_app(**app)
    for facts in content["orgs"]:
        _load_org(world, facts)
    users = {user.username: user for org in world.orgs for user in org.users}
    for facts in content["grants"]:
        app = world.apps[facts["app"]]
        grant = Grant(users[facts["user"]], app, facts["newest"], set(facts["spent"]), facts["alive"])
        world.grants.append(grant)
        for token, expires_at in facts["sessions"]:
            world.sessions[token] = Session(token, grant, expires_at)
    return world


def _load_org(world: Emulator, facts: dict[str, Any]) -> None:
    first, *others = facts["usernames"]
    org = world.add_org(username=first, **{fact: facts[fact] for fact in _ORG_FACTS})
    for fact in _LATER_FACTS:
        setattr(org, fact, facts[fact])
    for username in others:
        org.add_user(username)
    org.processes = [SandboxProcess(**process) for process in facts["processes"]]
    org.scratch_records = [ScratchRecord(**record) for record in facts["scratch_records"]]


def _content(world: Emulator) -> dict[str, Any]:
    return {
        "apps": [
            {
                "client_id": app.client_id,
                "secret": app.secret,
                "rotates": app.rotates,
                "installed": app.installed,
            }
            for app in world.apps.values()
        ],
        "orgs": [
            {
                **{fact: getattr(org, fact) for fact in (*_ORG_FACTS, *_LATER_FACTS)},
                "usernames": [user.username for user in org.users],
                "processes": [asdict(process) for process in org.processes],
                "scratch_records": [asdict(record) for record in org.scratch_records],
            }
            for org in world.orgs
        ],
        "grants": [_grant(world, grant) for grant in world.grants],
    }


def _grant(world: Emulator, grant: Grant) -> dict[str, Any]:
    sessions = [
        (session.token, session.expires_at)
        for session in world.sessions.values()
        if session.grant is grant and session.alive and session.expires_at > world.clock()
    ]
    return {
        "user": grant.user.username,
        "app": grant.app.client_id,
        "newest": grant.newest,
        "spent": sorted(grant.spent)[-100:],
        "alive": grant.alive,
        "sessions": sessions[-100:],
    }
